#pragma once

#include <cstddef>
#include <iosfwd>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/next_item/candidates.hpp>
#include <lstmrec/next_item/recommender.hpp>

namespace lstmrec {

/// Writes the n best items for every user's whole sequence as CSV: `user,rank,item,score,title`, users in their order.
/// `sequences` must have the recommender's items, with its indices (align_items). Throws std::invalid_argument where it
/// has not, and Error if writing fails. Returns the number of users whose list is empty, as the candidates leave
/// nothing.
template <class Network>
std::size_t write_recommendations(const BasicRecommender<Network>& recommender, const Sequences& sequences,
                                  std::size_t n, const Candidates& candidates, std::ostream& csv,
                                  std::size_t threads = 0);

}  // namespace lstmrec

#ifdef LSTMREC_COMPILED
namespace lstmrec {
extern template std::size_t write_recommendations(const Recommender&, const Sequences&, std::size_t, const Candidates&,
                                                  std::ostream&, std::size_t);
}  // namespace lstmrec
#else
#include <lstmrec/next_item/recommend_all_inl.hpp>
#endif
