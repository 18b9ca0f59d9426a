// A ranker borrows its recommender, so it can't be made from one that is about to be destroyed.
// expect: use of deleted function|call to deleted constructor
#include <cstddef>
#include <lstmrec/next_item/ranker.hpp>
#include <utility>

std::size_t items(lstmrec::Recommender& recommender) {
#ifdef MUST_NOT_COMPILE
  const lstmrec::Ranker ranker(std::move(recommender));
#else
  const lstmrec::Ranker ranker(recommender);
#endif
  return recommender.item_ids().size();
}
