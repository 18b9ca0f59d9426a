#include <lstmrec/data/split.hpp>

int main() { return lstmrec::leave_one_out({}).test.empty() ? 0 : 1; }
