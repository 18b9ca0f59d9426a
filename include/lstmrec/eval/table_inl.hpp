#pragma once

/// The bodies of table.hpp.

#include <algorithm>
#include <cstddef>
#include <iomanip>
#include <ios>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/table.hpp>
#include <ostream>
#include <span>
#include <sstream>
#include <string>

namespace lstmrec {

namespace detail {

inline std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

inline std::string padded(std::string text, std::size_t width) {
  text.insert(0, text.size() < width ? width - text.size() : 0, ' ');
  return text;
}

inline std::string interval(const Estimate& e) {
  const std::string value = fixed(e.value, 4);
  return e.low < e.high ? value + " [" + fixed(e.low, 4) + ", " + fixed(e.high, 4) + "]" : value;
}

}  // namespace detail

LSTMREC_INLINE std::ostream& operator<<(std::ostream& out, const Estimate& estimate) {
  return out << detail::interval(estimate);
}

LSTMREC_INLINE std::ostream& operator<<(std::ostream& out, const Evaluation& evaluation) {
  using detail::padded;
  out << evaluation.targets.size() << " targets of " << evaluation.users << " users, " << evaluation.items << " items; "
      << evaluation.protocol << '\n'
      << padded("k", 5) << padded("HR@k", 26) << padded("NDCG@k", 26) << padded("coverage", 10)
      << padded("popularity", 12) << '\n';
  for (std::size_t c = 0; c < evaluation.cutoffs.size(); ++c)
    out << padded(std::to_string(evaluation.cutoffs[c]), 5) << padded(detail::interval(evaluation.hr[c]), 26)
        << padded(detail::interval(evaluation.ndcg[c]), 26) << padded(detail::fixed(evaluation.coverage[c], 3), 10)
        << padded(detail::fixed(evaluation.mean_popularity[c], 1), 12) << '\n';
  return out << "  MRR" << padded(detail::interval(evaluation.mrr), 26);
}

LSTMREC_INLINE void write_table(std::ostream& out, std::span<const NamedEvaluation> rows, std::size_t k) {
  using detail::padded;
  if (rows.empty()) return;
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  const std::string at = "@" + std::to_string(k);
  out << rows.front().evaluation.protocol << '\n'
      << padded("", width) << padded("HR" + at, 26) << padded("NDCG" + at, 26) << padded("MRR", 26)
      << padded("coverage" + at, 13) << padded("popularity" + at, 15) << '\n';
  for (const auto& [name, evaluation] : rows) {
    const std::size_t c = evaluation.place_of(k);
    out << name << padded(detail::interval(evaluation.hr[c]), 26 + width - name.size())
        << padded(detail::interval(evaluation.ndcg[c]), 26) << padded(detail::interval(evaluation.mrr), 26)
        << padded(detail::fixed(evaluation.coverage[c], 3), 13)
        << padded(detail::fixed(evaluation.mean_popularity[c], 1), 15) << '\n';
  }
}

}  // namespace lstmrec
