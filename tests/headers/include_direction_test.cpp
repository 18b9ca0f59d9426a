// Reads the #include lines of the library and holds them against the order of its folders.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;  // path below include/, text

// What each folder may include beside itself.
const std::map<std::string, std::set<std::string>> may_include = {
    {"core", {}},
    {"io", {"core"}},
    {"data", {"core", "io"}},
    {"nn", {"core"}},
    {"train", {"core", "io", "nn"}},
    {"baselines", {"core", "io", "data"}},
    {"eval", {"core", "io", "data"}},
    {"next_item", {"core", "io", "data", "nn", "train", "baselines", "eval"}},
    {"ratings", {"core", "io", "data", "nn", "train", "baselines", "eval"}},
    {"compiled", {"core", "io", "data", "nn", "train", "baselines", "eval", "next_item"}},
};

struct Include {
  std::string name;
  bool quoted = false;
};

std::vector<Include> includes(const std::string& text) {
  std::vector<Include> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto hash = line.find_first_not_of(" \t");
    if (hash == std::string::npos || line[hash] != '#') continue;
    const auto word = line.find_first_not_of(" \t", hash + 1);
    if (word == std::string::npos || line.compare(word, 7, "include") != 0) continue;
    const auto open = line.find_first_of("<\"", word);
    if (open == std::string::npos) continue;
    const bool quoted = line[open] == '"';
    const auto close = line.find(quoted ? '"' : '>', open + 1);
    found.push_back({line.substr(open + 1, close - open - 1), quoted});
  }
  return found;
}

// "core" of "lstmrec/core/matrix.hpp", "" of "lstmrec/lstmrec.hpp".
std::string folder_of(const std::string& path) {
  const std::string inside = path.substr(path.find('/') + 1);
  const auto slash = inside.find('/');
  return slash == std::string::npos ? "" : inside.substr(0, slash);
}

// The file of `files` that an include in `from` names, or "".
std::string resolve(const Files& files, const std::string& from, const Include& include) {
  if (include.quoted) {
    const auto beside = (fs::path(from).parent_path() / include.name).lexically_normal().generic_string();
    if (files.contains(beside)) return beside;
  }
  return files.contains(include.name) ? include.name : "";
}

// Whether `file` is a/b_inl.hpp, the bodies of a/b.hpp, which includes it: no cycle, as neither goes without the other.
bool is_bodies_of(const std::string& file, const std::string& header) {
  return file.ends_with("_inl.hpp") && file.substr(0, file.size() - 8) + ".hpp" == header;
}

void find_cycle(const std::map<std::string, std::vector<std::string>>& edges, const std::string& file,
                std::vector<std::string>& path, std::set<std::string>& done, std::vector<std::string>& faults) {
  if (const auto again = std::find(path.begin(), path.end(), file); again != path.end()) {
    std::string cycle = "cycle: ";
    for (auto step = again; step != path.end(); ++step) cycle += *step + " -> ";
    faults.push_back(cycle + file);
    return;
  }
  if (done.contains(file)) return;
  path.push_back(file);
  for (const auto& next : edges.at(file)) find_cycle(edges, next, path, done, faults);
  path.pop_back();
  done.insert(file);
}

std::vector<std::string> faults(const Files& files) {
  std::vector<std::string> result;
  std::map<std::string, std::vector<std::string>> edges;
  for (const auto& [file, text] : files) {
    const auto folder = folder_of(file);
    auto& targets = edges[file];
    if (!folder.empty() && !may_include.contains(folder)) result.push_back(file + ": unknown folder");
    for (const auto& include : includes(text)) {
      const auto target = resolve(files, file, include);
      if (is_bodies_of(file, target)) continue;
      if (target.empty()) {
        // The standard library has neither a folder nor an extension, the rest is Eigen.
        const bool standard = !include.quoted && include.name.find_first_of("/.") == std::string::npos;
        const bool eigen = !include.quoted && include.name.starts_with("Eigen/");
        // POSIX has what the standard library lacks: syncing a file to its disk, and whose it is.
        const bool posix = !include.quoted &&
                           (include.name == "unistd.h" || include.name == "fcntl.h" || include.name == "sys/stat.h");
        if (!standard && !eigen && !posix)
          result.push_back(file + ": neither ours, Eigen's nor std's: " + include.name);
        continue;
      }
      targets.push_back(target);
      const auto target_folder = folder_of(target);
      if (folder.empty() || folder == target_folder) continue;
      if (target == "lstmrec/version.hpp") continue;
      if (!may_include.contains(folder) || !may_include.at(folder).contains(target_folder)) {
        result.push_back(file + ": may not include " + target);
      }
    }
  }
  std::set<std::string> done;
  std::vector<std::string> path;
  for (const auto& [file, targets] : edges) find_cycle(edges, file, path, done, result);
  return result;
}

Files library() {
  Files files;
  const fs::path root = fs::path(LSTMREC_SOURCE_DIR) / "include";
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".md") continue;  // the guide is no header
    std::ifstream in(entry.path(), std::ios::binary);
    files[entry.path().lexically_relative(root).generic_string()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return files;
}

}  // namespace

TEST_CASE("includes point only to the folders above, without a cycle") {
  const auto files = library();
  REQUIRE(files.size() > 5);
  for (const auto& fault : faults(files)) FAIL_CHECK(fault);
}

TEST_CASE("every header has #pragma once, and one of those that stand beside lstmrec.hpp includes it") {
  auto files = library();
  std::erase_if(files, [](const auto& file) { return folder_of(file.first) == "compiled"; });
  for (const auto& [file, text] : files) {
    INFO(file);
    CHECK(file.ends_with(".hpp"));
    CHECK(text.starts_with("#pragma once\n"));
  }
  REQUIRE(files.contains("lstmrec/lstmrec.hpp"));
  std::set<std::string> reached;
  std::vector<std::string> waiting = {"lstmrec/lstmrec.hpp", "lstmrec/ratings.hpp", "lstmrec/baselines.hpp",
                                      "lstmrec/nn.hpp",      "lstmrec/serve.hpp",   "lstmrec/own_network.hpp"};
  while (!waiting.empty()) {
    const auto file = waiting.back();
    waiting.pop_back();
    if (!reached.insert(file).second) continue;
    for (const auto& include : includes(files.at(file))) {
      const auto target = resolve(files, file, include);
      if (!target.empty()) waiting.push_back(target);
    }
  }
  for (const auto& [file, text] : files) {
    INFO(file);
    CHECK(reached.contains(file));
  }
}

TEST_CASE("the include check finds what it is for") {
  const Files sound = {{"lstmrec/core/a.hpp", "#pragma once\n#include <vector>\n#include <Eigen/Core>\n"},
                       {"lstmrec/core/b.hpp", "#include \"lstmrec/core/a.hpp\"\n"},
                       {"lstmrec/nn/c.hpp", " #  include <lstmrec/core/b.hpp>\n// #include \"lstmrec/data/d.hpp\"\n"},
                       {"lstmrec/data/d.hpp", "#include \"../core/a.hpp\"\n"},
                       {"lstmrec/version.hpp", ""}};
  CHECK(faults(sound).empty());

  const auto with = [&sound](const std::string& file, const std::string& text) {
    auto files = sound;
    files[file] = text;
    return faults(files);
  };
  CHECK(with("lstmrec/nn/e.hpp", "#include \"lstmrec/data/d.hpp\"\n") ==
        std::vector<std::string>{"lstmrec/nn/e.hpp: may not include lstmrec/data/d.hpp"});
  CHECK(with("lstmrec/nn/e.hpp", "#include \"../data/d.hpp\"\n").size() == 1);
  CHECK(with("lstmrec/core/a.hpp", "#include \"b.hpp\"\n") ==
        std::vector<std::string>{"cycle: lstmrec/core/a.hpp -> lstmrec/core/b.hpp -> lstmrec/core/a.hpp"});
  CHECK(with("lstmrec/core/a_inl.hpp", "#include \"lstmrec/core/a.hpp\"\n").empty());
  CHECK(with("lstmrec/core/e.hpp", "#include <CLI/CLI.hpp>\n").size() == 1);
  CHECK(with("lstmrec/core/e.hpp", "#include \"missing.hpp\"\n").size() == 1);
  CHECK(with("lstmrec/other/e.hpp", "").size() == 1);
}
