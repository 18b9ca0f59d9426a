// The linear baselines. See core/compiled.hpp.

#include <lstmrec/baselines/linear.hpp>
#include <lstmrec/baselines/linear_inl.hpp>

namespace lstmrec {

template struct EaseEquations<float>;
template struct DecayedRidgeEquations<float>;

}  // namespace lstmrec
