#pragma once

#include <lstmrec/core/eigen.hpp>
#include <lstmrec/version.hpp>

/// The library in two forms, from the same sources. Header-only is the default: every function is inline, and there is
/// nothing to link. With LSTMREC_COMPILED the functions that are costly to compile are only declared (LSTMREC_INLINE is
/// empty and the headers named *_inl.hpp are left out), and the files of compiled/ hold them: link CMake's target
/// lstmrec::compiled, or compile those files once with the same flags and LSTMREC_COMPILED defined.
///
/// A network with a block, head or input of one's own needs bodies that nobody has compiled before: include
/// <lstmrec/own_network.hpp>, in either form.
#ifndef LSTMREC_COMPILED
#define LSTMREC_INLINE inline
#else
#define LSTMREC_INLINE

// Flags that change layout or arithmetic make up the name of a symbol: the version, EIGEN_DONT_VECTORIZE and -march
// (the vector instructions and FMA), EIGEN_MAX_ALIGN_BYTES, _GLIBCXX_DEBUG, and Eigen's version. A file that was
// compiled with others than the library asks for another name, and the linker says which. Eigen's own functions are not
// guarded so: two files of a program that use Eigen with different flags may get each other's, in either form.
#define LSTMREC_JOIN_(a, b, c, d, e, f, g) lstmrec_##a##_##b##_##c##_##d##_##e##_##f##_eigen3_##g
#define LSTMREC_JOIN(a, b, c, d, e, f, g) LSTMREC_JOIN_(a, b, c, d, e, f, g)
#if defined(EIGEN_DONT_VECTORIZE)
#define LSTMREC_SIMD scalar
#elif defined(__AVX512F__)
#define LSTMREC_SIMD avx512
#elif defined(__AVX2__)
#define LSTMREC_SIMD avx2
#elif defined(__AVX__)
#define LSTMREC_SIMD avx
#elif defined(__SSE4_1__)
#define LSTMREC_SIMD sse4
#elif defined(__SSE2__)
#define LSTMREC_SIMD sse2
#elif defined(__ARM_NEON)
#define LSTMREC_SIMD neon
#else
#define LSTMREC_SIMD other
#endif
#ifdef __FMA__
#define LSTMREC_FMA fma
#else
#define LSTMREC_FMA no_fma
#endif
#if EIGEN_MAX_ALIGN_BYTES >= 64
#define LSTMREC_ALIGN align64
#elif EIGEN_MAX_ALIGN_BYTES >= 32
#define LSTMREC_ALIGN align32
#elif EIGEN_MAX_ALIGN_BYTES >= 16
#define LSTMREC_ALIGN align16
#else
#define LSTMREC_ALIGN align0
#endif
#ifdef _GLIBCXX_DEBUG
#define LSTMREC_CONTAINERS debug_containers
#else
#define LSTMREC_CONTAINERS plain_containers
#endif
#define LSTMREC_FLAGS                                                                                  \
  LSTMREC_JOIN(LSTMREC_VERSION_MAJOR, LSTMREC_VERSION_MINOR, LSTMREC_SIMD, LSTMREC_FMA, LSTMREC_ALIGN, \
               LSTMREC_CONTAINERS, EIGEN_MAJOR_VERSION)

namespace lstmrec::compiled_with {
extern const int LSTMREC_FLAGS;
namespace {
[[gnu::used]] const int* const flags_of_this_file = &LSTMREC_FLAGS;
}
}  // namespace lstmrec::compiled_with
#endif
