#pragma once

/// The bodies of table.hpp.

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <lstmrec/core/error.hpp>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/table.hpp>
#include <lstmrec/io/fixed.hpp>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace lstmrec {

namespace detail {

inline std::string interval(const Estimate& e) {
  if (!(e.low < e.high)) return fixed(e.value, 4);
  return message({fixed(e.value, 4), " [", fixed(e.low, 4), ", ", fixed(e.high, 4), "]"});
}

/// A text, right-aligned in `width` characters.
struct Cell {
  std::string_view text;
  std::size_t width;
};

/// Writes cells, whatever the format that the stream is set to.
inline void write_cells(std::ostream& out, std::initializer_list<Cell> cells) {
  std::string line;
  for (const Cell& cell : cells) {
    if (cell.text.size() < cell.width) line.append(cell.width - cell.text.size(), ' ');
    line += cell.text;
  }
  out << line;
}

}  // namespace detail

LSTMREC_INLINE std::ostream& operator<<(std::ostream& out, const Estimate& estimate) {
  return out << detail::interval(estimate);
}

LSTMREC_INLINE std::ostream& operator<<(std::ostream& out, const Evaluation& evaluation) {
  using detail::fixed, detail::interval, detail::write_cells;
  out << detail::message({evaluation.targets.size(), " targets of ", evaluation.users, " users, ", evaluation.items,
                          " items; ", evaluation.protocol, "\n"});
  write_cells(out, {{"k", 5}, {"HR@k", 26}, {"NDCG@k", 26}, {"coverage", 10}, {"popularity", 12}, {"\n", 0}});
  for (std::size_t c = 0; c < evaluation.cutoffs.size(); ++c)
    write_cells(out, {{detail::message({evaluation.cutoffs[c]}), 5},
                      {interval(evaluation.hr[c]), 26},
                      {interval(evaluation.ndcg[c]), 26},
                      {fixed(evaluation.coverage[c], 3), 10},
                      {fixed(evaluation.mean_popularity[c], 1), 12},
                      {"\n", 0}});
  write_cells(out, {{"  MRR", 0}, {interval(evaluation.mrr), 26}});
  return out;
}

LSTMREC_INLINE void write_table(std::ostream& out, std::span<const NamedEvaluation> rows, std::size_t k,
                                std::size_t columns) {
  using detail::fixed, detail::interval, detail::message, detail::write_cells;
  if (rows.empty()) return;
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  const bool is_wide = columns == 0 || width + 3 * 26 + 13 + 15 <= columns;
  const std::size_t figure = is_wide ? 26 : 8, ndcg = is_wide ? 26 : 25;
  const std::size_t coverage = is_wide ? 13 : 10, popularity = is_wide ? 15 : 12;
  const auto text = [&](const Estimate& e) { return is_wide ? interval(e) : fixed(e.value, 4); };
  out << rows.front().evaluation.protocol << '\n';
  write_cells(out, {{"", width},
                    {message({"HR@", k}), figure},
                    {message({"NDCG@", k}), ndcg},
                    {"MRR", figure},
                    {is_wide ? message({"coverage@", k}) : "coverage", coverage},
                    {is_wide ? message({"popularity@", k}) : "popularity", popularity},
                    {"\n", 0}});
  for (const auto& [name, evaluation] : rows) {
    const std::size_t c = evaluation.place_of(k);
    write_cells(out, {{name, 0},
                      {text(evaluation.hr[c]), figure + width - name.size()},
                      {interval(evaluation.ndcg[c]), ndcg},
                      {text(evaluation.mrr), figure},
                      {fixed(evaluation.coverage[c], 3), coverage},
                      {fixed(evaluation.mean_popularity[c], 1), popularity},
                      {"\n", 0}});
  }
}

}  // namespace lstmrec
