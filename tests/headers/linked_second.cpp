#include "all_headers.hpp"

const char* version_seen_by_second() { return LSTMREC_VERSION; }
