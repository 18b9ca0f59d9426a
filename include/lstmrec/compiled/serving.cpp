// The recommender, and lists made with it. See core/compiled.hpp.

#include <lstmrec/next_item/batch_ranker_inl.hpp>
#include <lstmrec/next_item/ranker_inl.hpp>
#include <lstmrec/next_item/recommend_all_inl.hpp>
#include <lstmrec/next_item/recommender_inl.hpp>

namespace lstmrec {

template class BasicRecommender<NextItemNetwork<float>>;
template class BasicRanker<NextItemNetwork<float>>;
template class BasicBatchRanker<NextItemNetwork<float>>;
template void write_recommendations(const Recommender&, const Sequences&, std::size_t, const Candidates&, std::ostream&,
                                    std::size_t);

}  // namespace lstmrec
