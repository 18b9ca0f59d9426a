// Rows of too many parts get a sentence, not the errors of a structured binding.
// expect: a row has two to four parts: user, item, time and rating
#include <cstdint>
#include <lstmrec/data/interactions.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

struct Row {
  std::string user;
  std::int64_t item = 0, time = 0;
  double rating = 0;
};
struct ShortRow {
  std::string user;
  std::int64_t item = 0, time = 0;
};
using lstmrec::detail::parts_of_row;
static_assert(parts_of_row<Row>() == 4 && parts_of_row<std::tuple<int, std::string, long, float>>() == 4);
static_assert(parts_of_row<ShortRow>() == 3 && parts_of_row<std::pair<int, std::string>>() == 2);
static_assert(parts_of_row<std::tuple<int, std::string, long, float, int>>() == 5);

int main() {
#ifdef MUST_NOT_COMPILE
  const std::vector<std::tuple<int, int, long, float, int>> rows;
#else
  const std::vector<Row> rows;
#endif
  return lstmrec::make_interactions(rows).events.empty() ? 0 : 1;
}
