/// Trains a recommender on a MovieLens release (or evaluates a saved one), beside four baselines:
///
///     train_movielens --data ml-1m --min-item-count 5 --model ml-1m.safetensors --report ml-1m.html
///
/// trainer.hpp says what it writes and how it ends.

#include <lstmrec/data/movielens.hpp>

#include "trainer.hpp"

int main(int argc, char** argv) {
  return example::run_trainer(
      argc, argv,
      {.description = "Trains a recommender on a MovieLens release, and evaluates it beside four baselines.",
       .help = "A MovieLens release: its folder or its ratings file",
       .files = [](const std::filesystem::path& path) { return lstmrec::movielens_files(path); },
       .read = [](const std::filesystem::path& path, bool) { return lstmrec::read_movielens(path); }});
}
