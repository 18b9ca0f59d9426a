/// Compares runs by the ranks of their test targets, which train_movielens --ranks has written:
///
///     compare_runs default.tsv wider.tsv
///     compare_runs default1.tsv,default2.tsv,default3.tsv wider1.tsv,wider2.tsv,wider3.tsv
///
/// Commas join the runs of one configuration with several seeds: their figures are averaged target by target. Every
/// later one is compared with the first by a paired bootstrap over users. Exit codes: 0, 1 for what went wrong, 2 for a
/// wrong command line.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <lstmrec/io/text.hpp>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "command_line.hpp"
#include "console.hpp"
#include "ranks_file.hpp"

namespace {

using namespace lstmrec;
using namespace example;

constexpr CompareOptions options;

/// The runs of one configuration.
struct Group {
  std::string name;
  std::vector<Ranks> runs;

  /// The mean over the runs of a metric of one target's rank.
  template <class Metric>
  double mean(std::size_t target, Metric metric) const {
    double sum = 0;
    for (const Ranks& run : runs) sum += metric(run.ranks[target]);
    return sum / static_cast<double>(runs.size());
  }
};

double hr_of(std::uint32_t rank) { return metrics::hit(rank, options.cutoff); }
double ndcg_of(std::uint32_t rank) { return metrics::ndcg(rank, options.cutoff); }

std::vector<Group> read_groups(const std::vector<std::string>& names) {
  std::vector<Group> groups;
  for (const std::string& name : names) {
    Group& group = groups.emplace_back(Group{name, {}});
    detail::split_text(std::string_view(name), ',', [&](std::string_view file) {
      if (file.empty()) throw Error("expected files separated by commas, got " + detail::excerpt(name));
      const auto& first = groups.front().runs;
      group.runs.push_back(read_ranks(file, first.empty() ? nullptr : &first.front()));
    });
  }
  return groups;
}

/// HR, NDCG and MRR of a group by user, and how much more NDCG it has than the first.
enum Figure : std::size_t { hr_figure, ndcg_figure, mrr_figure, difference_figure, figures };

UserSums sums_by_user(const Group& group, const Group& first) {
  const std::vector<std::uint32_t>& users = first.runs.front().users;
  UserSums sums(figures);
  for (const std::size_t k : argsort_by(users.size(), [&](std::size_t target) { return users[target]; })) {
    const double own = group.mean(k, ndcg_of);
    sums.add(users[k], std::array{group.mean(k, hr_of), own, group.mean(k, metrics::reciprocal_rank),
                                  own - first.mean(k, ndcg_of)});
  }
  return sums;
}

/// `  3 runs, NDCG 0.1210 to 0.1290`
void print_spread(const Group& group) {
  std::vector<double> means;
  for (const Ranks& run : group.runs) {
    double sum = 0;
    for (const std::uint32_t rank : run.ranks) sum += ndcg_of(rank);
    means.push_back(sum / static_cast<double>(run.ranks.size()));
  }
  const auto [least, most] = std::minmax_element(means.begin(), means.end());
  std::cout << "  " << means.size() << " runs, NDCG " << fixed(*least, 4) << " to " << fixed(*most, 4);
}

int work(const std::vector<std::string>& names) {
  const std::vector<Group> groups = read_groups(names);
  const Group& first = groups.front();
  std::size_t width = 0;
  for (const Group& group : groups) width = std::max(width, group.name.size());
  const auto print_name = [&](const std::string& name) {
    std::cout << std::left << std::setw(static_cast<int>(width)) << name << std::right;
  };

  ThreadPool pool(options.threads);
  std::vector<Comparison> differences;
  const std::string at = "@" + std::to_string(options.cutoff);
  const std::string& header = first.runs.front().header;
  std::cout << printable(header.substr(ranks_header.size())) << '\n';
  for (const Group& group : groups)
    for (const Ranks& run : group.runs)
      if (run.header != header)
        std::cout << printable(run.path)
                  << " was measured otherwise: " << printable(run.header.substr(ranks_header.size())) << '\n';
  print_name("");
  std::cout << std::setw(26) << "HR" + at << std::setw(26) << "NDCG" + at << std::setw(26) << "MRR" << '\n';
  for (const Group& group : groups) {
    const UserSums sums = sums_by_user(group, first);
    const auto estimates = sums.estimates(options.bootstrap_samples, options.seed, pool);
    print_name(group.name);
    for (const Figure figure : {hr_figure, ndcg_figure, mrr_figure}) std::cout << std::setw(26) << estimates[figure];
    if (group.runs.size() > 1) print_spread(group);
    std::cout << '\n';
    differences.push_back({estimates[difference_figure],
                           sums.sign_p_value(difference_figure, options.bootstrap_samples, options.seed, pool)});
  }
  if (groups.size() > 1) std::cout << "\nNDCG" << at << " minus that of " << first.name << '\n';
  for (std::size_t g = 1; g < groups.size(); ++g) {
    print_name(groups[g].name);
    std::cout << "  " << std::setw(26) << differences[g].ndcg << "  "
              << p_text(differences[g].p, options.bootstrap_samples) << '\n';
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line("Compares runs by the ranks of their test targets, which train_movielens --ranks has written.");
  std::vector<std::string> names;
  line.add_option("runs", names, "Files of ranks; commas join the seeds of one configuration: a1.tsv,a2.tsv b.tsv")
      .required();
  return line.run(argc, argv, [&] { return work(names); });
}
