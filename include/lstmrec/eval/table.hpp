#pragma once

#include <cstddef>
#include <iosfwd>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <span>
#include <string>

namespace lstmrec {

/// `0.1234 [0.1150, 0.1320]`: the value and its 95% interval, if it has one.
LSTMREC_INLINE std::ostream& operator<<(std::ostream& out, const Estimate& estimate);

/// The figures of one model, a line a cutoff, without a newline at the end.
LSTMREC_INLINE std::ostream& operator<<(std::ostream& out, const Evaluation& evaluation);

/// A model in a table of several.
struct NamedEvaluation {
  std::string name;
  Evaluation evaluation;
};

/// Writes a line a model with its figures at one cutoff, under the protocol of the first. Where the table has more than
/// `columns` characters a line (0: any number has room), only NDCG has its interval: about 80 suffice then.
/// Throws std::out_of_range if the cutoff was not evaluated.
LSTMREC_INLINE void write_table(std::ostream& out, std::span<const NamedEvaluation> rows, std::size_t k = 10,
                                std::size_t columns = 0);

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/eval/table_inl.hpp>
#endif
