#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/checksum.hpp>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace lstmrec {

// safetensors files: https://github.com/huggingface/safetensors, format description.
//
// A rows × columns matrix here is the tensor [columns, rows] there, without any copying of elements about: these
// matrices are column-major and those tensors row-major. So a table of item vectors, one a column, is the usual
// [items, size], and a weight is [input, output].

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian; so must the machine be");

/// One array of a safetensors file, as its header describes it. Sizes are the format's: the last one is contiguous.
struct TensorInfo {
  std::string dtype;  ///< F32, F64, I64, U32, U8 …
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  ///< Its bytes are [begin, end) of what follows the header.
};

/// The header of a safetensors file: JSON with one object a tensor, and `__metadata__` from text to text.
struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorInfo> tensors;
};

namespace detail {

inline void write_json_string(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += digits[c >> 4];
      out += digits[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

inline std::string shape_text(const std::vector<std::uint64_t>& shape, const char* separator) {
  std::string text = "[";
  for (const auto size : shape) text += message({text.size() > 1 ? separator : "", size});
  return text + ']';
}

/// Reads the JSON that a safetensors header may hold: objects, strings, arrays of whole numbers.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  SafetensorsHeader parse() {
    SafetensorsHeader header;
    std::string name, key;
    for (bool first = open('{'); has_member(first, name);) {
      if (name == "__metadata__") {
        for (bool first_key = open('{'); has_member(first_key, key);) header.metadata[key] = string();
      } else {
        if (header.tensors.contains(name)) fail({"the tensor ", name, " stands twice"});
        parse_tensor(name, header.tensors[name]);
      }
    }
    if (skip_space() != '\0' || position_ < text_.size()) fail({"expected the end"});
    return header;
  }

 private:
  [[noreturn, gnu::noinline, gnu::cold]] void fail(std::initializer_list<MessagePart> what) const {
    detail::fail<ModelFileError>({message(what), " at byte ", position_});
  }

  char skip_space() {
    while (position_ < text_.size() && std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos)
      ++position_;
    return position_ < text_.size() ? text_[position_] : '\0';
  }

  void expect(char c) {
    if (skip_space() != c) fail({"expected '", std::string_view(&c, 1), "'"});
    ++position_;
  }

  /// Goes into an object or an array, whose next part is the first: true.
  bool open(char begin) {
    expect(begin);
    return true;
  }

  /// Goes to the next part of an object or an array, or behind its end: false.
  bool has_part(bool& first, char end) {
    const bool is_first = std::exchange(first, false);
    if (is_first ? skip_space() == end : skip_space() != ',') {
      expect(end);
      return false;
    }
    if (!is_first) ++position_;
    return true;
  }

  bool has_member(bool& first, std::string& key) {
    if (!has_part(first, '}')) return false;
    key = string();
    expect(':');
    return true;
  }

  void parse_tensor(const std::string& name, TensorInfo& tensor) {
    bool has_dtype = false, has_shape = false, has_offsets = false;
    std::string key;
    for (bool first = open('{'); has_member(first, key);) {
      if (key == "dtype") {
        tensor.dtype = string();
        has_dtype = true;
      } else if (key == "shape") {
        tensor.shape = numbers();
        has_shape = true;
      } else if (key == "data_offsets") {
        const auto offsets = numbers();
        if (offsets.size() != 2) fail({name, ": expected two data_offsets"});
        tensor.begin = offsets[0];
        tensor.end = offsets[1];
        has_offsets = true;
      } else {
        fail({name, ": unknown key ", key});
      }
    }
    if (!has_dtype || !has_shape || !has_offsets) fail({name, ": expected dtype, shape and data_offsets"});
  }

  std::vector<std::uint64_t> numbers() {
    std::vector<std::uint64_t> result;
    for (bool first = open('['); has_part(first, ']');) result.push_back(number());
    return result;
  }

  std::uint64_t number() {
    skip_space();
    const std::size_t begin = position_;
    std::uint64_t value = 0;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
      const auto digit = static_cast<std::uint64_t>(text_[position_] - '0');
      if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) fail({"a number past 64 bits"});
      value = 10 * value + digit;
    }
    if (position_ == begin) fail({"expected a whole number"});
    return value;
  }

  std::string string() {
    expect('"');
    std::string result;
    while (true) {
      if (position_ >= text_.size()) fail({"a string without end"});
      const char c = text_[position_++];
      if (c == '"') return result;
      if (c != '\\') {
        result += c;
        continue;
      }
      if (position_ >= text_.size()) fail({"a string without end"});
      const char escaped = text_[position_++];
      static constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
      if (escaped == 'u') {
        append_utf8(result, code_point());
      } else if (const auto which = from.find(escaped); which != std::string_view::npos) {
        result += to[which];
      } else {
        fail({"an unknown escape in a string"});
      }
    }
  }

  std::uint32_t four_hex_digits() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = position_ < text_.size() ? text_[position_++] : '\0';
      if (c >= '0' && c <= '9')
        value = 16 * value + static_cast<std::uint32_t>(c - '0');
      else if (c >= 'a' && c <= 'f')
        value = 16 * value + static_cast<std::uint32_t>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        value = 16 * value + static_cast<std::uint32_t>(c - 'A' + 10);
      else
        fail({"expected four hexadecimal digits"});
    }
    return value;
  }

  std::uint32_t code_point() {
    const std::uint32_t high = four_hex_digits();
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || text_.substr(position_, 2) != "\\u") fail({"half a surrogate pair in a string"});
    position_ += 2;
    const std::uint32_t low = four_hex_digits();
    if (low < 0xdc00 || low > 0xdfff) fail({"half a surrogate pair in a string"});
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xc0 | (code >> 6));
      tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xe0 | (code >> 12));
      tail(6), tail(0);
    } else {
      out += static_cast<char>(0xf0 | (code >> 18));
      tail(12), tail(6), tail(0);
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

/// The bytes of a number of a type, 0 where the format has no such type.
inline std::uint64_t bytes_of_dtype(std::string_view dtype) {
  constexpr std::pair<std::string_view, std::uint64_t> all[] = {
      {"F64", 8},  {"I64", 8}, {"U64", 8}, {"F32", 4}, {"I32", 4}, {"U32", 4}, {"F16", 2},
      {"BF16", 2}, {"I16", 2}, {"U16", 2}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}};
  for (const auto& [name, bytes] : all)
    if (name == dtype) return bytes;
  return 0;
}

/// The format's name of a type of numbers.
template <class T>
constexpr const char* dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return "F32";
  else if constexpr (std::is_same_v<T, double>)
    return "F64";
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return "I64";
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return "U32";
  else {
    static_assert(std::is_same_v<T, char>, "tensors hold float, double, std::int64_t, std::uint32_t or bytes of text");
    return "U8";
  }
}

}  // namespace detail

/// Throws ModelFileError with the place where the text is not such a header.
inline SafetensorsHeader read_safetensors_header(std::string_view text) { return detail::HeaderParser(text).parse(); }

inline std::string write_safetensors_header(const SafetensorsHeader& header) {
  std::string out = "{\"__metadata__\":{";
  const char* separator = "";
  for (const auto& [key, value] : header.metadata) {
    out += std::exchange(separator, ",");
    detail::write_json_string(out, key);
    out += ':';
    detail::write_json_string(out, value);
  }
  out += '}';
  for (const auto& [name, tensor] : header.tensors) {
    out += ',';
    detail::write_json_string(out, name);
    out += ":{\"dtype\":";
    detail::write_json_string(out, tensor.dtype);
    out += ",\"shape\":" + detail::shape_text(tensor.shape, ",");
    out += detail::message({",\"data_offsets\":[", tensor.begin, ",", tensor.end, "]}"});
  }
  return out + '}';
}

namespace detail {

/// The key of the metadata that holds the checksum of a tensor, or that of the header.
inline std::string checksum_key(const std::string& tensor = "") {
  return tensor.empty() ? "checksum" : message({"checksum.", tensor});
}

/// The checksum of a header's contents, but for itself.
inline std::string checksum_of(SafetensorsHeader header) {
  header.metadata.erase(checksum_key());
  const std::string text = write_safetensors_header(header);
  return checksum_text(std::as_bytes(std::span(text)));
}

}  // namespace detail

/// Throws ModelFileError unless every tensor's shape fills its bytes and these lie inside the `length` bytes behind
/// the header, and are no more than these in sum: tensors that overlap could ask for any amount of memory.
inline void check_safetensors_header(const SafetensorsHeader& header, std::uint64_t length, const std::string& path) {
  std::uint64_t sum = 0;
  for (const auto& [name, tensor] : header.tensors) {
    std::uint64_t bytes = detail::bytes_of_dtype(tensor.dtype);
    if (bytes == 0) detail::fail<ModelFileError>({path, ": ", name, ": unknown type ", tensor.dtype});
    if (tensor.begin > tensor.end || tensor.end > length)
      detail::fail<ModelFileError>({path, ": ", name, ": expected to lie in ", length, " bytes, found ", tensor.begin,
                                    " to ", tensor.end, ": the file is cut short or damaged"});
    for (const std::uint64_t extent : tensor.shape) {
      if (extent != 0 && bytes > std::numeric_limits<std::uint64_t>::max() / extent)
        detail::fail<ModelFileError>({path, ": ", name, ": a shape past 64 bits"});
      bytes *= extent;
    }
    if (bytes != tensor.end - tensor.begin)
      detail::fail<ModelFileError>(
          {path, ": ", name, ": expected ", bytes, " bytes for its shape, found ", tensor.end - tensor.begin});
    sum += bytes;
    if (sum > length) detail::fail<ModelFileError>({path, ": ", name, ": overlaps another tensor"});
  }
}

}  // namespace lstmrec
