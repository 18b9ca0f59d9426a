// How many gates a cell has that is chosen at run time is known at run time only, and so are the sizes of its weights.
// expect: a cell that is chosen at run time has run-time sizes
#include <lstmrec/nn/any_cell.hpp>

int main() {
#ifdef MUST_NOT_COMPILE
  lstmrec::GatedCell<lstmrec::AnyCellEquations, float, 8, 16> cell;
#else
  lstmrec::GatedCell<lstmrec::AnyCellEquations, float> cell(8, 16);
#endif
  return cell.hidden_size() > 0 ? 0 : 1;
}
