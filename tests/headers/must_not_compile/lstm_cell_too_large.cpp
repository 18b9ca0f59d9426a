// A fixed cell lives inside its object, and Eigen limits how large a fixed matrix may be: 90 units in float.
// expect: this fixed recurrent cell does not fit
#include <lstmrec/nn/lstm_cell.hpp>

int main() {
#ifdef MUST_NOT_COMPILE
  lstmrec::LstmCell<float, 8, 91> cell;
#else
  lstmrec::LstmCell<float, 8, 90> cell;
#endif
  return cell.hidden_size() > 0 ? 0 : 1;
}
