#include <iostream>
#include <lstmrec/serve.hpp>

// Serves a model; here, asks for one that is not there.
int main() try {
  const auto recommender = lstmrec::load_recommender("absent.safetensors");
  lstmrec::Session session(recommender);
  session.top_n(10);
  return 1;
} catch (const lstmrec::Error& error) {
  std::cout << error.what() << '\n';
  return 0;
}
