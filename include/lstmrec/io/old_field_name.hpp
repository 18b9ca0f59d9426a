#pragma once

#include <string_view>

namespace lstmrec {

/// A name that a field had in an earlier version: it is still read, in model files and on command lines.
struct OldFieldName {
  std::string_view old_name, name;
  bool negated = false;  ///< The old field was true where the new one is false.
};

}  // namespace lstmrec
