#pragma once

/// The version of the library; CMake reads it from here.
#define LSTMREC_VERSION_MAJOR 0
#define LSTMREC_VERSION_MINOR 1
#define LSTMREC_VERSION_PATCH 0
#define LSTMREC_VERSION "0.1.0"
