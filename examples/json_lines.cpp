#include "json_lines.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#ifdef LSTMREC_JSON
#include <nlohmann/json.hpp>
#endif

namespace example {

namespace {

#ifdef LSTMREC_JSON

/// Calls found(name, text) for every value of an object, one after the other of an array.
class Values : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Values(std::function<void(const std::string& name, std::string_view text)> found)
      : found_(std::move(found)) {}

  bool is_object() const { return is_object_; }

  bool null() override { return depth_ > 0; }
  bool boolean(bool value) override { return add(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override { return add(std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) override { return add(std::to_string(value)); }
  bool number_float(double, const std::string& text) override { return add(text); }
  bool string(std::string& text) override { return add(text); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    is_object_ = true;
    if (depth_++ > 0 && arrays_ == 0) lengths_.push_back(name_.size());
    if (depth_ > 1 && arrays_ == 0) name_ += '.';
    return true;
  }
  bool key(std::string& key) override {
    if (arrays_ == 0) {
      const std::size_t end = lengths_.empty() ? 0 : lengths_.back() + 1;
      name_.resize(end);
      name_ += key;
    }
    return true;
  }
  bool end_object() override {
    if (--depth_ > 0 && arrays_ == 0) {
      name_.resize(lengths_.back());
      lengths_.pop_back();
    }
    return true;
  }
  bool start_array(std::size_t) override {
    ++arrays_;
    return depth_ > 0;
  }
  bool end_array() override {
    --arrays_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

 private:
  bool add(std::string_view text) {
    if (depth_ == 0) return false;  // no object
    found_(name_, text);
    return true;
  }

  std::function<void(const std::string&, std::string_view)> found_;
  std::string name_;
  std::vector<std::size_t> lengths_;  ///< Of the names of the objects around.
  std::size_t depth_ = 0, arrays_ = 0;
  bool is_object_ = false;
};

bool read_object(std::string_view line, const std::function<void(const std::string&, std::string_view)>& found) {
  Values values(found);
  return nlohmann::json::sax_parse(line.begin(), line.end(), &values) && values.is_object();
}

#else

bool read_object(std::string_view, const std::function<void(const std::string&, std::string_view)>&) {
  throw lstmrec::Error(
      "lines of JSON: this program was built without nlohmann/json (Debian: nlohmann-json3-dev), which reads them");
}

#endif

/// A field must not hold what separates fields or lines, nor begin like a quoted one.
void append_field(const std::string& text, std::string& out) {
  const bool is_quoted = text.starts_with('"');
  if (is_quoted) out += '"';
  for (const char c : text) {
    if (is_quoted && c == '"') out += '"';
    out += c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
  }
  if (is_quoted) out += '"';
}

}  // namespace

std::vector<std::string> json_columns(std::string_view text) {
  std::vector<std::string> columns, names;  // names: of one line
  std::size_t lines = 0;
  for (std::size_t begin = 0; begin < text.size() && lines < 1000; ++lines) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    names.clear();
    if (read_object(text.substr(begin, end - begin),
                    [&](const std::string& name, std::string_view) { names.push_back(name); }))
      for (const std::string& name : names)
        if (columns.size() < 1000 && std::find(columns.begin(), columns.end(), name) == columns.end())
          columns.push_back(name);
    begin = end + 1;
  }
  return columns;
}

bool is_object_of_lists(std::string_view beginning) {
  std::size_t at = 0;
  const auto next_is = [&](char c) {
    at = std::min(beginning.find_first_not_of(" \t\r\n", at), beginning.size());
    return at < beginning.size() && beginning[at++] == c;
  };
  const auto list = [&] {
    if (!next_is('"') || (at = beginning.find('"', at)) == std::string_view::npos) return false;
    ++at;
    return next_is(':') && next_is('[') && (at = beginning.find(']', at)) != std::string_view::npos && ++at > 0;
  };
  if (!next_is('{') || !list() || !next_is(',') || !list()) return false;
  // Lines of one object each may begin so too; then the next line begins with an object.
  const std::size_t end = beginning.find('\n');
  if (end == std::string_view::npos) return true;
  const std::size_t next = beginning.find_first_not_of(" \t\r\n", end);
  return next == std::string_view::npos || beginning[next] != '{';
}

JsonLines::JsonLines(std::vector<std::string> columns, bool is_one_object,
                     std::function<bool(const char*, std::size_t)> write)
    : columns_(std::move(columns)), fields_(columns_.size()), is_one_object_(is_one_object), write_(std::move(write)) {}

bool JsonLines::add(const char* data, std::size_t size) {
  std::string_view text(data, size);
  out_.clear();
  if (is_one_object_) {
    rest_ += text;
    return write_(out_.data(), 0);
  }
  for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    if (rest_.empty()) {
      convert(text.substr(0, end));
    } else {
      rest_ += text.substr(0, end);
      convert(std::exchange(rest_, {}));
    }
  }
  rest_ += text;
  return write_(out_.data(), out_.size());
}

void JsonLines::end() {
  out_.clear();
  if (is_one_object_)
    convert_object(rest_);
  else if (!rest_.empty())
    convert(std::exchange(rest_, {}));
  write_(out_.data(), out_.size());
}

void JsonLines::convert_object(std::string_view text) {
  std::string line;  // of the item whose list is being read
  const auto end_line = [&] {
    if (!fields_[0].empty()) out_ += (append_field(fields_[0], line = {}), line) + '\t' + fields_[1] + '\n';
  };
  const auto found = [&](const std::string& name, std::string_view value) {
    if (name != fields_[0]) {
      end_line();
      fields_ = {name, {}};
    } else {
      fields_[1] += '|';
    }
    append_field(std::string(value), fields_[1]);
  };
  if (!read_object(text, found))
    throw lstmrec::Error("expected one JSON object of items and lists, found none that ends");
  end_line();
}

void JsonLines::convert(std::string_view line) {
  const bool is_blank = line.find_first_not_of(" \t\r") == std::string_view::npos;
  for (std::string& field : fields_) field.clear();
  std::size_t at = 0;  // objects mostly have their names in the same order, so that the next name is near
  const auto found = [&](const std::string& name, std::string_view text) {
    for (std::size_t tried = 0; columns_[at] != name; at = (at + 1) % columns_.size())
      if (++tried > columns_.size()) return;
    if (!fields_[at].empty()) fields_[at] += '|';
    fields_[at] += text;
  };
  if (!is_blank && read_object(line, found)) {
    for (std::size_t k = 0; k < fields_.size(); ++k) {
      if (k > 0) out_ += '\t';
      append_field(fields_[k], out_);
    }
  } else {
    if (!is_blank) out_ += "no JSON object: ";
    const std::size_t begin = out_.size();
    out_ += line;
    std::replace(out_.begin() + static_cast<std::ptrdiff_t>(begin), out_.end(), '\t', ' ');
  }
  out_ += '\n';
}

}  // namespace example
