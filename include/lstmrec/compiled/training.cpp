// Training of the next-item network. See core/compiled.hpp.

#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/fit_inl.hpp>
#include <lstmrec/next_item/update.hpp>
#include <lstmrec/next_item/update_inl.hpp>

namespace lstmrec {

template FitResult fit(const Split&, const RecommenderConfig&, const FitOptions&, const ItemLossRef<float>&);
template FitResult warm_start(const Recommender&, const Split&, RecommenderConfig, const FitOptions&,
                              const ItemLossRef<float>&);
template FitResult warm_start(const Recommender&, const Split&, std::int64_t, const FitOptions&,
                              const ItemLossRef<float>&);
template FitResult update(const Recommender&, const Split&, RecommenderConfig, const FitOptions&,
                          const ItemLossRef<float>&);
template FitResult update(const Recommender&, const Split&, std::int64_t, const FitOptions&, const ItemLossRef<float>&);

}  // namespace lstmrec
