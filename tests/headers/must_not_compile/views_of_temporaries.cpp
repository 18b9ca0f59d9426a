// What is borrowed from an object can't be had of one that is about to be destroyed: it is handed over, or refused.
// expect: argument discards qualifiers|no matching member function for call
#include <cstddef>
#include <cstdint>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/next_item/batch_builder.hpp>
#include <lstmrec/next_item/batch_ranker.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/ratings/best_unrated.hpp>
#include <lstmrec/ratings/levels.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace lstmrec;

// A call of an lvalue has to compile, and of a temporary it must not.
#define LENDS(Type, call)                                                  \
  []<class Object>(std::type_identity<Object>) {                           \
    static_assert(requires(Object & object) { object.call; });             \
    static_assert(!requires(Object & object) { std::move(object).call; }); \
  }(std::type_identity<Type>())

// A call of a temporary has to return a value.
#define HANDS_OVER(Type, call)                                              \
  static_assert(std::is_reference_v<decltype(std::declval<Type&>().call)>); \
  static_assert(!std::is_reference_v<decltype(std::declval<Type>().call)>)

void views() {
  LENDS(Session, top_n(3));
  LENDS(Session, top_n(3, std::declval<const Candidates&>()));
  LENDS(Session, scores());
  LENDS(Ranker, top_n(UserState(), 3));
  LENDS(Ranker, top_n(UserState(), 3, std::declval<const Candidates&>()));
  LENDS(Ranker, list(UserState(), 3, std::declval<const Candidates&>()));
  LENDS(Ranker, scores(UserState()));
  LENDS(Ranker, last_scores());
  LENDS(Ranker, recommender());
  LENDS(Ranker, default_candidates());
  LENDS(Recommender, scorer());
  LENDS(NextItemNetwork<float>, output_vectors());
  LENDS(Split, train(0));
  LENDS(Split, history(Target()));
  LENDS(Sequences, operator[](0));
  LENDS(EventColumns, rows(0, 1));
  LENDS(TensorReader, text("key"));
  LENDS(TensorReader, tensor("name"));

  HANDS_OVER(Session, state());
  HANDS_OVER(Recommender, config());
  HANDS_OVER(Recommender, network());
  HANDS_OVER(Recommender, item_ids());
  HANDS_OVER(Recommender, catalogue());
  HANDS_OVER(Recommender, item_counts());
  HANDS_OVER(Recommender, markov());
  HANDS_OVER(Recommender, trained_on());
  HANDS_OVER(Recommender, input_projections());
  HANDS_OVER(Vocabulary, id(0));
  HANDS_OVER(RawId, string());
  HANDS_OVER(RatingLevels, values());
  HANDS_OVER(TensorReader, header());
  static_assert(std::is_same_v<decltype(UnratedItem::title), std::string>);
  static_assert(!std::is_reference_v<decltype(std::declval<Evaluation&>().ndcg_at(10))>);
}

// What is constructed of an lvalue, which it borrows, can't be of a temporary.
template <class Type, class Lender, class... Rest>
constexpr bool borrows =
    std::is_constructible_v<Type, const Lender&, Rest...> && !std::is_constructible_v<Type, Lender, Rest...>;
static_assert(borrows<Session, Recommender> && borrows<Ranker, Recommender> && borrows<BatchRanker, Recommender>);
static_assert(borrows<BatchBuilder, Split, LabelOptions>);
static_assert(borrows<History, std::vector<std::uint32_t>>);

template <class Lender>
concept HasQueries = requires {
  queries_of(std::declval<Lender>(), std::span<const Target>());
};
static_assert(HasQueries<const Split&> && !HasQueries<Split>);

std::size_t list_of(const Recommender& recommender) {
#ifdef MUST_NOT_COMPILE
  const auto list = Session(recommender).top_n(3);
#else
  Session session(recommender);
  const auto list = session.top_n(3);
#endif
  return list.size();
}
