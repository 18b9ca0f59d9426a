// The layers alone, which need neither exceptions nor run-time types.

#include <lstmrec/nn.hpp>

int main() {
  lstmrec::LstmCell<float, 8, 16> cell;
  return cell.hidden_rows == 16 ? 0 : 1;
}
