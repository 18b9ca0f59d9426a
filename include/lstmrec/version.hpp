#pragma once

/// The version of the library; CMake reads it from here.
#define LSTMREC_VERSION_MAJOR 0
#define LSTMREC_VERSION_MINOR 2
#define LSTMREC_VERSION_PATCH 0
#define LSTMREC_VERSION "0.2.0"
