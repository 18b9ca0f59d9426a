// Logs, the linear baselines and evaluation, and the flags that all these files were compiled with. See
// core/compiled.hpp.

#include <lstmrec/baselines/linear.hpp>
#include <lstmrec/baselines/linear_inl.hpp>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/delimited_log_inl.hpp>
#include <lstmrec/data/item_table_inl.hpp>
#include <lstmrec/data/movielens_inl.hpp>
#include <lstmrec/data/sequences_inl.hpp>
#include <lstmrec/data/split_inl.hpp>
#include <lstmrec/eval/evaluate_inl.hpp>
#include <lstmrec/eval/scored_inl.hpp>
#include <lstmrec/eval/table_inl.hpp>

namespace lstmrec {

const int compiled_with::LSTMREC_FLAGS = 0;

template struct EaseEquations<float>;
template struct DecayedRidgeEquations<float>;

}  // namespace lstmrec
