// The recommender, its file, and lists made with it. See core/compiled.hpp.

#include <lstmrec/next_item/batch_ranker_inl.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/model_file_inl.hpp>
#include <lstmrec/next_item/ranker_inl.hpp>
#include <lstmrec/next_item/recommend_all_inl.hpp>
#include <lstmrec/next_item/recommender_inl.hpp>

namespace lstmrec {

template class BasicRecommender<NextItemNetwork<float>>;
template class BasicRanker<NextItemNetwork<float>>;
template class BasicBatchRanker<NextItemNetwork<float>>;
template std::size_t write_recommendations(const Recommender&, const Sequences&, std::size_t, const Candidates&,
                                           std::ostream&, std::size_t);
template void save(const Recommender&, const std::filesystem::path&);
template Recommender load_recommender(const std::filesystem::path&);

}  // namespace lstmrec
