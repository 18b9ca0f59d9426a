// Saving and loading of a recommender. See core/compiled.hpp.

#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/model_file_inl.hpp>

namespace lstmrec {

template void save(const Recommender&, const std::filesystem::path&);
template Recommender load_recommender(const std::filesystem::path&);

}  // namespace lstmrec
