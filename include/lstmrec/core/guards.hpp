#pragma once

// Settings of the including program that would make results wrong or errors unreadable are refused here, in a sentence.

#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "lstmrec: compile without -ffast-math, -Ofast and -ffinite-math-only, which remove its checks for NaN"
#endif
// Functions that end the program without exceptions have other names there, so that a program of both kinds of files
// keeps both.
#ifdef __cpp_exceptions
#define LSTMREC_BEGIN_THROWING
#define LSTMREC_END_THROWING
#else
#define LSTMREC_BEGIN_THROWING inline namespace without_exceptions {
#define LSTMREC_END_THROWING }
#endif
#if defined(min) || defined(max)
#error "lstmrec: min and max are macros: define NOMINMAX before windows.h is included"
#endif
