#pragma once

#include <filesystem>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/next_item/recommender.hpp>

namespace lstmrec {

/// Saves a recommender: network, configuration, vocabulary, titles and Markov chain, in one safetensors file.
/// Written whole or not at all. Throws Error with the system's reason, and std::invalid_argument on what could not be
/// loaded again: no items, or weights that are not finite.
///
/// Equal recommenders give equal bytes, and so does one that was loaded again.
template <class Network>
void save(const BasicRecommender<Network>& recommender, const std::filesystem::path& path);

/// Loads what `save` wrote, in this version or an earlier one. Throws Error where the file can't be opened and
/// ModelFileError, naming the tensor, what was expected and what was found, where it is not such a file; before memory
/// is taken for it. So it does where a bit has changed since the file was saved (unless another program has written it,
/// without checksums), and where this build computes other scores than the one that saved it.
///
///     const auto own = load_recommender<NextItemNetwork<float, MyBlock>>(path);     // a block of one's own
template <class Network = NextItemNetwork<float>>
BasicRecommender<Network> load_recommender(const std::filesystem::path& path);

}  // namespace lstmrec

#ifdef LSTMREC_COMPILED
namespace lstmrec {
extern template void save(const Recommender&, const std::filesystem::path&);
extern template Recommender load_recommender(const std::filesystem::path&);
}  // namespace lstmrec
#else
#include <lstmrec/next_item/model_file_inl.hpp>
#endif
