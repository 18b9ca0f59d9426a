// Rows without a rating get a sentence, not the errors of a structured binding.
// expect: a row has four parts: user, item, time and rating
#include <cstdint>
#include <lstmrec/data/interactions.hpp>
#include <string>
#include <tuple>
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
using lstmrec::detail::has_four_parts;
static_assert(has_four_parts<Row>() && has_four_parts<std::tuple<int, std::string, long, float>>());
static_assert(!has_four_parts<ShortRow>() && !has_four_parts<std::tuple<int, std::string, long, float, int>>());

int main() {
#ifdef MUST_NOT_COMPILE
  const std::vector<std::tuple<int, int, long>> rows;
#else
  const std::vector<Row> rows;
#endif
  return lstmrec::make_interactions(rows).events.empty() ? 0 : 1;
}
