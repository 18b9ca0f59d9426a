/// Recommends with a model that train or train_movielens has written: for a user of a data file, for a history given by
/// hand, for all users of a data file at once, or (with neither) interactively:
///
///     recommend --model ml-1m.safetensors --data ml-1m --user 1
///     recommend --model ml-1m.safetensors --history "296,593"
///     recommend --model ml-1m.safetensors --data ml-1m --all recommendations.csv
///     recommend --model ml-1m.safetensors

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/lstmrec.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "any_log.hpp"
#include "command_line.hpp"
#include "console.hpp"

namespace {

using namespace lstmrec;
using namespace example;

struct Arguments {
  std::filesystem::path model, data, all;
  std::string user;
  LogOptions log;
  std::optional<std::string> history, allow, block;
  std::size_t top = 10, threads = 0;
  bool seen = false;
};

void add_options(CommandLine& line, Arguments& a) {
  line.take_last();  // of an option given twice
  line.add_option("--model", a.model, "A recommender that a trainer has written").required();
  const auto data = line.add_option("--data", a.data, "A log of events as train reads it, or a MovieLens folder");
  add_log_options(line, a.log, data);
  const auto user = line.add_option("--user", a.user, "Recommend to this user of the data").needs(data);
  const auto all =
      line.add_option("--all", a.all, "Recommend to all users of the data and write the lists to this file, as CSV")
          .needs(data)
          .excludes(user);
  line.add_option("--history", a.history, "Recommend after these items, such as \"296,593\"")
      .excludes(user)
      .excludes(all)
      .excludes(data);
  line.add_option("--top", a.top, "How many items").capture_default_str().positive();
  line.add_option("--allow", a.allow, "Recommend only these items, such as \"296,593\"");
  line.add_option("--block", a.block, "Recommend none of these items");
  line.add_flag("--seen", a.seen, "Recommend items of the history too");
  line.add_option("--threads", a.threads, "Of --all; 0: as many as there are processors").range(0, 1024);
}

/// Without the white space around it.
std::string trimmed(const std::string& text) {
  constexpr const char* spaces = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(spaces);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(spaces) + 1 - first);
}

/// ASCII letters only.
std::string in_small_letters(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// `296, 593` → two ids. Throws Error on an empty one.
std::vector<RawId> parse_ids(const std::string& text, const char* option) {
  std::vector<RawId> ids;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string field = trimmed(text.substr(begin, end - begin));
    if (field.empty()) throw Error(std::string(option) + ": expected ids separated by commas, got \"" + text + "\"");
    ids.push_back(RawId(field));
    begin = end + 1;
  }
  return ids;
}

/// Throws Error for an id that the model doesn't know.
void check_history(const Recommender& recommender, const std::vector<RawId>& ids) {
  for (const RawId& id : ids)
    if (!recommender.item_ids().find(id)) throw Error("--history: the model knows no item " + id.text());
}

void tell_unknown(const std::vector<RawId>& ids) {
  if (ids.empty()) return;
  std::cerr << "--allow and --block: left out " << grouped(ids.size())
            << (ids.size() == 1 ? " item that the model doesn't know: " : " items that the model doesn't know, first ")
            << printable(ids.front().text()) << '\n';
}

std::string title_of(const Recommender& recommender, std::uint32_t item) {
  const std::string& title = recommender.catalogue()[item].title;
  return title.empty() ? "item " + printable(recommender.item_ids().id(item).text()) : printable(title);
}

void print_line(std::size_t rank, const Recommendation& r, const std::string& note = {}) {
  const std::string title = r.title.empty() ? "item " + printable(r.item.text()) : printable(r.title);
  std::cout << std::setw(4) << rank << "  " << std::left << std::setw(8) << printable(r.item.text()) << std::right
            << "  " << title << note << '\n';
}

void print_list(std::span<const Recommendation> list) {
  if (list.empty()) std::cout << "  nothing is left to recommend\n";
  for (std::size_t k = 0; k < list.size(); ++k) print_line(k + 1, list[k]);
}

/// Reads the data with the model's item indices. Says on standard error what had to be left out.
AlignedSequences read_aligned(const Arguments& a, const Recommender& recommender) {
  AlignedSequences aligned =
      align_items(build_sequences(read_any_log(a.data, a.log, false)), recommender.item_ids(), recommender.catalogue());
  if (aligned.unknown_events > 0)
    std::cerr << grouped(aligned.unknown_events) << " events of items that the model doesn't know were left out\n";
  return aligned;
}

void recommend_to_user(const Recommender& recommender, const Candidates& candidates, const Arguments& a) {
  const Sequences data = read_aligned(a, recommender).sequences;
  const auto user = data.users.find(RawId(a.user));
  if (!user) throw Error(data.source + ": there is no user " + a.user + " with items that the model knows");
  const History history = data[*user];
  recommender.context().expect_times_of(data);
  Session session(recommender);
  session.observe_all(history);

  constexpr std::size_t shown = 5;
  std::cout << "User " << a.user << " had " << grouped(history.size()) << (history.size() == 1 ? " item" : " items")
            << ", last (newest first):\n";
  for (std::size_t age = 0; age < std::min(shown, history.size()); ++age) {
    const std::uint32_t item = history[history.size() - 1 - age].item;
    std::cout << "      " << std::left << std::setw(8) << printable(data.items.id(item).text()) << std::right << "  "
              << title_of(recommender, item) << '\n';
  }
  std::cout << "Recommended:\n";
  print_list(session.top_n(a.top, candidates));
}

void recommend_after(const std::vector<RawId>& history, const Recommender& recommender, const Candidates& candidates,
                     std::size_t top) {
  Session session(recommender);
  for (const RawId& id : history) session.observe(id);
  std::cout << "After:\n";
  for (const RawId& id : history)
    std::cout << "      " << std::left << std::setw(8) << printable(id.text()) << std::right << "  "
              << title_of(recommender, recommender.item_ids().index(id)) << '\n';
  std::cout << "Recommended:\n";
  print_list(session.top_n(top, candidates));
}

/// A conversation over standard input: a part of a title, then the number of one of the titles that have it.
class Conversation {
 public:
  Conversation(const Recommender& recommender, const Candidates& candidates, std::size_t top)
      : recommender_(recommender), candidates_(candidates), session_(recommender), top_(top) {}

  void run() {
    std::cout << "Type a part of a title (or an item's id) to say what you had; the list changes with it.\n"
                 "An empty line shows the list again, `undo` takes the last one back, `quit` ends.\n\n";
    show_list();
    std::string line;
    while (prompt(), std::getline(std::cin, line)) {
      line = trimmed(line);
      if (line == "quit" || line == "q") return;
      if (line.empty()) {
        show_list();
      } else if (line == "undo") {
        undo();
      } else if (const auto picked = pick(line)) {
        choose(*picked);
      } else {
        search(line);
      }
    }
    std::cout << '\n';
  }

 private:
  static constexpr std::size_t most_matches = 15;

  void prompt() const { std::cout << (matches_.empty() ? "title> " : "number or title> ") << std::flush; }

  /// The item behind a number of the matches shown last.
  std::optional<std::uint32_t> pick(const std::string& line) const {
    const RawId number = RawId(line);
    if (!number.is_integer() || number.integer() < 1) return std::nullopt;
    const auto place = static_cast<std::uint64_t>(number.integer());
    return place <= matches_.size() ? std::optional(matches_[place - 1]) : std::nullopt;
  }

  void search(const std::string& text) {
    matches_.clear();
    if (const auto item = recommender_.item_ids().find(RawId(text))) matches_.push_back(*item);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> found;  // the more popular first
    const std::string wanted = in_small_letters(text);
    for (std::uint32_t item = 0; item < recommender_.catalogue().size(); ++item)
      if (in_small_letters(recommender_.catalogue()[item].title).find(wanted) != std::string::npos)
        found.emplace_back(~recommender_.item_counts()[item], item);
    std::sort(found.begin(), found.end());
    for (const auto& [count, item] : found)
      if (matches_.empty() || matches_.front() != item) matches_.push_back(item);

    if (matches_.empty()) std::cout << "No title has \"" << printable(text) << "\" in it, and no item that id.\n";
    const std::size_t all = matches_.size();
    matches_.resize(std::min(all, most_matches));
    for (std::size_t k = 0; k < matches_.size(); ++k)
      std::cout << std::setw(4) << k + 1 << "  " << title_of(recommender_, matches_[k]) << '\n';
    if (all > most_matches) std::cout << "      and " << all - most_matches << " more; type more of the title\n";
  }

  void choose(std::uint32_t item) {
    matches_.clear();
    history_.push_back(item);
    session_.observe(recommender_.item_ids().id(item));
    std::cout << "\nYou had " << title_of(recommender_, item) << ".\n";
    show_list();
  }

  void undo() {
    matches_.clear();
    if (history_.empty()) {
      std::cout << "There is nothing to take back.\n";
      return;
    }
    std::cout << "\nTaken back: " << title_of(recommender_, history_.back()) << ".\n";
    history_.pop_back();
    session_ = Session(recommender_);
    for (const auto item : history_) session_.observe(recommender_.item_ids().id(item));
    show_list();
  }

  /// Beside each item: whether it is new in the list, or how many places it went up or down.
  void show_list() {
    const auto list = session_.top_n(top_, candidates_);
    std::cout << (history_.empty() ? "Popular:\n" : "Recommended:\n");
    if (list.empty()) std::cout << "  nothing is left to recommend\n";
    std::vector<RawId> ids;
    for (std::size_t k = 0; k < list.size(); ++k) {
      const auto before = std::find(shown_.begin(), shown_.end(), list[k].item);
      const auto place = before - shown_.begin(), now = static_cast<std::ptrdiff_t>(k);
      std::string note;
      if (before == shown_.end()) {
        if (!shown_.empty()) note = "  (new)";
      } else if (place != now) {
        note =
            place > now ? "  (up " + std::to_string(place - now) + ")" : "  (down " + std::to_string(now - place) + ")";
      }
      print_line(k + 1, list[k], note);
      ids.push_back(list[k].item);
    }
    shown_ = std::move(ids);
  }

  const Recommender& recommender_;
  const Candidates& candidates_;
  Session session_;
  std::size_t top_;
  std::vector<std::uint32_t> history_, matches_;
  std::vector<RawId> shown_;  ///< The list shown last.
};

int work(const Arguments& a) {
  if (!a.data.empty() && a.user.empty() && a.all.empty()) throw Error("--data needs --user or --all");
  std::vector<OptionFile> inputs{{"--model", a.model}};
  if (!a.data.empty())
    for (const auto& file : files_of_log(a.data)) inputs.push_back({"--data", file});
  check_outputs({{"--all", a.all}}, inputs);
  const Recommender recommender = load_recommender(a.model);
  CandidateFilter filter;
  if (a.seen) filter.exclude_seen = false;
  if (a.allow) filter.allow = parse_ids(*a.allow, "--allow");
  if (a.block) filter.block = parse_ids(*a.block, "--block");
  const auto history = a.history ? parse_ids(*a.history, "--history") : std::vector<RawId>();
  check_history(recommender, history);
  const Candidates candidates(recommender, filter);
  tell_unknown(candidates.unknown());

  if (!a.all.empty()) {
    const auto [data, unknown_events, unknown_users] = read_aligned(a, recommender);
    std::size_t without = 0;
    write_file_atomically(a.all, [&, &sequences = data](std::ostream& csv) {
      without = write_recommendations(recommender, sequences, a.top, candidates, csv, a.threads);
    });
    std::cerr << "lists of " << grouped(data.size() - without) << " users written to " << a.all.string() << '\n';
    if (unknown_users > 0)
      std::cerr << "no list for " << grouped(unknown_users) << " users without an item that the model knows\n";
    if (without > 0) std::cerr << "no list for " << grouped(without) << " users for whom no item is left\n";
  } else if (!a.user.empty()) {
    recommend_to_user(recommender, candidates, a);
  } else if (a.history) {
    recommend_after(history, recommender, candidates, a.top);
  } else {
    Conversation(recommender, candidates, a.top).run();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "Recommends with a trained model: to a user of a data file, after given items, to all, or interactively.");
  Arguments arguments;
  add_options(line, arguments);
  return line.run(argc, argv, [&] { return work(arguments); });
}
