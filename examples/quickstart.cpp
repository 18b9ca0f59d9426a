#include <iostream>
#include <lstmrec/lstmrec.hpp>

int main() {
  using namespace lstmrec;
  // Any MovieLens release, its format detected; the last event of every user is for the test.
  const auto split = leave_one_out(build_sequences(read_movielens("data/sample")));

  const auto recommender =
      fit(split, {.embedding_size = 64, .hidden_size = 64, .training = {.epochs = 10}}).recommender;
  std::cout << evaluate(recommender, split, split.test, {.cutoffs = {10}}) << '\n';

  Session session(recommender);  // one user, brought up to date event by event
  for (const auto raw_id : {297, 36, 72}) session.observe(raw_id);
  for (const auto& [item, title, score] : session.top_n(10)) std::cout << title << '\n';

  save(recommender, "model.safetensors");  // network, vocabulary and titles; load_recommender reads it
}
