// The chart of accuracy in the README: what is written is XML, and the file in the repository is what is written.
#include "../../benchmarks/accuracy_chart.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/thrown.hpp"

using namespace benchmark;

namespace {

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string chart_of(const std::vector<AccuracyBar>& bars) {
  std::ostringstream out;
  write_accuracy_chart(out, bars);
  return out.str();
}

/// What keeps a text of elements and attributes, without comments and declarations, from being XML; empty if nothing.
std::string xml_fault(const std::string& text) {
  const auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == ':'; };
  const auto reference_fault = [](const std::string& part) -> std::string {
    for (std::size_t at = part.find('&'); at != std::string::npos; at = part.find('&', at + 1)) {
      const std::string name = part.substr(at, part.find(';', at) - at);
      if (name != "&amp" && name != "&lt" && name != "&gt" && name != "&quot" && name != "&#39") return "bad " + name;
    }
    return "";
  };
  std::vector<std::string> open;
  std::size_t at = 0, roots = 0;
  while (at < text.size()) {
    if (text[at] != '<') {
      const std::size_t end = std::min(text.find('<', at), text.size());
      const std::string part = text.substr(at, end - at);
      if (open.empty() && part.find_first_not_of(" \n") != std::string::npos) return "text outside: " + part;
      if (const std::string fault = reference_fault(part); !fault.empty()) return fault;
      at = end;
      continue;
    }
    ++at;
    const bool closing = text[at] == '/';
    if (closing) ++at;
    std::string name;
    for (; at < text.size() && is_name(text[at]); ++at) name += text[at];
    if (name.empty()) return "an element without a name";
    std::set<std::string> attributes;
    while (at < text.size() && text[at] == ' ') {
      std::string attribute;
      for (++at; at < text.size() && is_name(text[at]); ++at) attribute += text[at];
      if (!attributes.insert(attribute).second) return attribute + " twice in " + name;
      if (text.compare(at, 2, "=\"") != 0) return attribute + " without a value in " + name;
      const std::size_t end = text.find('"', at + 2);
      if (end == std::string::npos) return attribute + " without an end in " + name;
      const std::string value = text.substr(at + 2, end - at - 2);
      if (value.find('<') != std::string::npos) return "< in " + attribute;
      if (const std::string fault = reference_fault(value); !fault.empty()) return fault;
      at = end + 1;
    }
    const bool empty = text.compare(at, 2, "/>") == 0;
    if (empty) ++at;
    if (at >= text.size() || text[at] != '>') return "no end of " + name;
    ++at;
    if (open.empty() && !closing && ++roots > 1) return "a second root, " + name;
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> without its beginning";
      open.pop_back();
    } else if (!empty) {
      open.push_back(name);
    }
  }
  if (!open.empty()) return "<" + open.back() + "> without its end";
  return roots == 1 ? "" : "no root";
}

const std::string folder = std::string(LSTMREC_SOURCE_DIR) + "/benchmarks/";

}  // namespace

TEST_CASE("Accuracy chart: the check of XML finds faults") {
  CHECK(xml_fault("<a b=\"1\"><c/>x &amp; y</a>\n").empty());
  for (const char* bad : {"", "x", "<a>", "<a></b>", "<a/><a/>", "<a b></a>", "<a b=\"1\" b=\"2\"/>", "<a b=\"<\"/>",
                          "<a>&nbsp;</a>", "<a>x & y</a>", "<a/>x", "</a>", "<a b=\"1></a>", "<a"})
    CHECK_FALSE(xml_fault(bad).empty());
}

TEST_CASE("Accuracy chart: the picture in the repository is what its table gives") {
  std::ifstream table(folder + "accuracy.tsv");
  const auto bars = read_accuracy_table(table);
  const std::string picture = chart_of(bars);
  INFO("Remake it: build/benchmarks/accuracy_chart benchmarks/accuracy.tsv benchmarks/accuracy.svg");
  CHECK(text_of(folder + "accuracy.svg") == picture);
  CHECK(xml_fault(picture).empty());
  CHECK(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  CHECK(picture.find("prefers-color-scheme: dark") != std::string::npos);
}

TEST_CASE("Accuracy chart: every figure of the table stands in the documents, and in the README's words for it") {
  const std::string readme = text_of(folder + "../README.md"), documents = readme + text_of(folder + "README.md");
  const std::size_t picture = readme.find("](benchmarks/accuracy.svg)");
  REQUIRE(picture != std::string::npos);
  const std::size_t begin = readme.rfind("![", picture);
  REQUIRE(begin != std::string::npos);
  const std::string words = readme.substr(begin, picture - begin);
  std::ifstream table(folder + "accuracy.tsv");
  for (const AccuracyBar& bar : read_accuracy_table(table)) {
    const std::string figure = example::chart::number(bar.ndcg, 3).substr(1);
    CAPTURE(bar.name, figure);
    CHECK(documents.find(figure) != std::string::npos);
    CHECK(words.find(bar.name + " " + figure) != std::string::npos);
  }
}

TEST_CASE("Accuracy chart: bars begin at 0 and are as long as their figures, and names are escaped") {
  const std::string picture = chart_of({{"a <b> & \"c\"", .2, "own", "it's"}, {"d", .1, "published", ""}});
  CHECK(xml_fault(picture).empty());
  CHECK(picture.find("a &lt;b&gt; &amp; &quot;c&quot;") != std::string::npos);
  const auto bar = [&](const std::string& style) {  // the last of its class; the first is in the legend
    const std::size_t at = picture.rfind("<rect class=\"" + style + "\" x=\"198\"");
    REQUIRE(at != std::string::npos);
    const std::size_t width = picture.find("width=\"", at) + 7;
    return std::stod(picture.substr(width, picture.find('"', width) - width));
  };
  CHECK(bar("model") == Approx(2 * bar("third")).margin(0.2));
  CHECK(picture.find(">0</text>") != std::string::npos);
}

TEST_CASE("Accuracy chart: a malformed table is refused with its line") {
  const auto fault = [](const std::string& table) {
    std::istringstream in(table);
    return thrown<std::runtime_error>([&] { read_accuracy_table(in); });
  };
  std::istringstream good("# a comment\n\nname\t.5\town\t\n");
  CHECK(read_accuracy_table(good).size() == 1);
  CHECK(fault("# nothing\n") == "expected a line a bar, got none");
  for (const char* line : {"name\t.5\town", "name\t.5\town\tnote\tmore", "name\t\town\tnote", "name\t.5x\town\tnote",
                           "name\t0\town\tnote", "name\t1.1\town\tnote", "name\t.5\tother\tnote"})
    CHECK(fault("# a comment\n" + std::string(line) + "\n").starts_with("line 2: expected a name, a figure"));
}
