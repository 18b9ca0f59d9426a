// Trains a little, saves, loads, lists and evaluates; prints what came out. CMakeLists.txt compiles it with flags and
// macros that other people's programs have.

#ifdef TRAPS
#include <fenv.h>
#endif

#include <cstdio>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <tuple>
#include <vector>

using namespace lstmrec;

int main(int, char** arguments) {
#if defined(TRAPS) && defined(__GLIBC__)
  feenableexcept(FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW);
#endif
  std::vector<std::tuple<int, int, int, float>> rows;
  for (int user = 0; user < 60; ++user)
    for (int k = 0; k < 9; ++k) rows.emplace_back(user, (user + 3 * k) % 37, k, 1.0f);
  const Split split = leave_one_out(build_sequences(make_interactions(rows)));
  const auto result = fit(split, {.embedding_size = 10, .hidden_size = 12, .training = {.epochs = 2}}, {.threads = 2});
  const std::string file = std::string(arguments[0]) + ".safetensors";
  save(result.recommender, file);
  const Recommender loaded = load_recommender(file);
  std::remove(file.c_str());
  Session session(loaded);
  for (const int id : {3, 6, 9}) session.observe(id);
  for (const auto& [item, title, score] : session.top_n(5))
    std::printf("%s %.3f\n", item.text().c_str(), static_cast<double>(score));
  std::printf("%.4f\n", evaluate(loaded, split, split.test).ndcg_at(10).value);
}
