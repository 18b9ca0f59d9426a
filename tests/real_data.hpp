#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "catch.hpp"

/// The path of a MovieLens folder or file below LSTMREC_REAL_DATA (the environment's, else CMake's), such as
/// "ml-100k". Where it is missing the running test is reported as skipped, and has to return:
///
///     const auto folder = real_data("ml-100k");
///     if (!folder) return;
inline std::optional<std::filesystem::path> real_data(const std::string& name) {
  std::string root;
#ifdef LSTMREC_REAL_DATA
  root = LSTMREC_REAL_DATA;
#endif
  if (const char* variable = std::getenv("LSTMREC_REAL_DATA")) root = variable;
  if (root.empty()) {
    skip_test("needs the real " + name + "; set LSTMREC_REAL_DATA to the folder that holds it");
    return std::nullopt;
  }
  const auto path = std::filesystem::path(root) / name;
  if (!std::filesystem::exists(path)) {
    skip_test("there is no " + path.string());
    return std::nullopt;
  }
  return path;
}
