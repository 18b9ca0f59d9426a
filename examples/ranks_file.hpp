#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/text.hpp>
#include <lstmrec/lstmrec.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace example {

/// The file of a run's ranks: a header that says what was ranked, then a line a target.
///
///     # ranks: 1682 items, 943 users, leave-one-out …
///     196<TAB>110<TAB>17                                   user, item, rank
///     186<TAB>302<TAB>-                                    left out as seen: a miss
inline constexpr std::string_view ranks_header = "# ranks: ";

/// The ranks of one run, as their file holds them.
struct Ranks {
  std::string path, header;
  std::vector<std::string> targets;         ///< User and item, with the tab between.
  std::vector<std::uint32_t> users, ranks;  ///< By target; users are numbered as they appear.
};

inline void write_ranks(std::ostream& out, const lstmrec::Evaluation& evaluation, const lstmrec::Split& split) {
  out << ranks_header << evaluation.items << " items, " << evaluation.users << " users, " << evaluation.protocol
      << '\n';
  for (std::size_t k = 0; k < evaluation.targets.size(); ++k) {
    const lstmrec::Target target = evaluation.targets[k];
    out << split.sequences.users.id(target.user) << '\t' << split.sequences.items.id(split.event(target).item) << '\t';
    if (evaluation.ranks[k] == lstmrec::metrics::not_ranked)
      out << "-\n";
    else
      out << evaluation.ranks[k] << '\n';
  }
}

/// Reads such a file. Throws ParseError where it has another form, or other targets than the run in `like`.
inline Ranks read_ranks(const std::filesystem::path& path, const Ranks* like = nullptr) {
  using lstmrec::detail::excerpt;
  lstmrec::detail::LineReader lines(path);
  Ranks run{path.string(), {}, {}, {}, {}};
  if (lines.next()) run.header = lines.line();
  if (!run.header.starts_with(ranks_header))
    lines.fail({"expected a file that train_movielens --ranks has written, got ", excerpt(run.header)});

  const auto check_target = [&](const std::string& got) {
    if (like == nullptr) return;
    const std::size_t k = run.targets.size();
    const std::string expected = k < like->targets.size() ? excerpt(like->targets[k]) : "the end of the file";
    if (got != expected) lines.fail({"expected ", expected, ", as in ", like->path, ", got ", got});
  };
  lstmrec::Vocabulary users;
  while (lines.next()) {
    std::vector<std::string_view> fields;
    lstmrec::detail::split_text(lines.line(), '\t', [&](std::string_view field) { fields.push_back(field); });
    if (fields.size() != 3) lines.fail({"expected user, item and rank separated by tabs, got ", excerpt(lines.line())});
    const std::string target(lines.line().substr(0, lines.line().rfind('\t')));
    check_target(excerpt(target));
    const std::int64_t rank = fields[2] == "-" ? std::int64_t{lstmrec::metrics::not_ranked}
                                               : lstmrec::detail::parse_integer(lines, fields[2], "rank");
    if (rank < 1 || !std::in_range<std::uint32_t>(rank))
      lines.fail({"expected a rank from 1 to 4294967295, got ", excerpt(fields[2])});
    run.targets.push_back(target);
    run.users.push_back(users.add(lstmrec::RawId(fields[0])));
    run.ranks.push_back(static_cast<std::uint32_t>(rank));
  }
  if (run.targets.empty()) lines.fail({"expected ranks, got a header only"});
  check_target("the end of the file");
  return run;
}

}  // namespace example
