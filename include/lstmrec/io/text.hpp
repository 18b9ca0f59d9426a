#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lstmrec::detail {

/// A text as an error message shows it: in quotes, on one line, cut to about 60 characters, and with everything but
/// printable ASCII escaped, so that it can't play tricks on a terminal.
inline std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 60;
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte >= 0x7f) {
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + (text.size() > longest ? "\"..." : "\"");
}

/// Whether a text is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF).
inline bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char lead = byte(i++);
    if (lead < 0x80) continue;
    const std::size_t more = lead >= 0xc2 && lead < 0xe0   ? 1
                             : lead >= 0xe0 && lead < 0xf0 ? 2
                             : lead >= 0xf0 && lead < 0xf5 ? 3
                                                           : 0;
    if (more == 0 || text.size() - i < more) return false;
    // The second byte's range rules out overlong forms (E0, F0), surrogates (ED) and what is past U+10FFFF (F4).
    const unsigned char lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(i) < lowest || byte(i) > highest) return false;
    for (std::size_t j = 1; j < more; ++j) {
      if ((byte(i + j) & 0xc0) != 0x80) return false;
    }
    i += more;
  }
  return true;
}

/// The text itself where it is UTF-8; otherwise it is taken for ISO-8859-1 and converted.
inline std::string to_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

/// A separator of two fields: a character, once or twice.
struct Separator {
  Separator(char separating, bool stands_twice = false) : character(separating), is_double(stands_twice) {}
  std::size_t size() const { return is_double ? 2 : 1; }
  char character;
  bool is_double;
};

/// Where the first separator from `begin` on is, or npos.
inline std::size_t find_separator(std::string_view text, Separator separator, std::size_t begin = 0) {
  std::size_t at = text.find(separator.character, begin);
  if (separator.is_double)
    while (at != std::string_view::npos && (at + 1 == text.size() || text[at + 1] != separator.character))
      at = text.find(separator.character, at + 1);
  return at;
}

/// Calls visit(part) for each part between separators; there is one more of them than of separators.
template <class Visitor>
void split_text(std::string_view text, Separator separator, Visitor visit) {
  std::size_t begin = 0;
  for (std::size_t end; (end = find_separator(text, separator, begin)) != std::string_view::npos;) {
    visit(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  visit(text.substr(begin));
}

}  // namespace lstmrec::detail
