#pragma once

#include <string>

/// The message of the exception that a call throws, "" where it throws none: so that a test can look at the words.
template <class Exception, class Call>
std::string thrown(Call call) {
  try {
    call();
  } catch (const Exception& exception) {
    return exception.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
