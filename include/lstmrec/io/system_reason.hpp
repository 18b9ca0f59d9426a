#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace lstmrec::detail {

/// The system's reason for the last failed call.
inline std::string system_reason() { return std::generic_category().message(errno); }

}  // namespace lstmrec::detail
