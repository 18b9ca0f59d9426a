// Evaluation, and the flags that all these files were compiled with. See core/compiled.hpp.

#include <lstmrec/core/compiled.hpp>
#include <lstmrec/eval/evaluate_inl.hpp>
#include <lstmrec/eval/scored_inl.hpp>
#include <lstmrec/eval/table_inl.hpp>

namespace lstmrec {

const int compiled_with::LSTMREC_FLAGS = 0;

}  // namespace lstmrec
