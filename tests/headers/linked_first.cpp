// The first of two translation units that include everything: what is defined twice does not link.
#include <string>

#include "all_headers.hpp"

const char* version_seen_by_second();

int main() { return version_seen_by_second() == std::string(LSTMREC_VERSION) ? 0 : 1; }
