#pragma once

// Eigen, past the macros that break it: resolv.h, which web libraries include, defines _res.

#include <lstmrec/core/guards.hpp>

#pragma push_macro("_res")
#undef _res
#include <Eigen/Core>
#pragma pop_macro("_res")
