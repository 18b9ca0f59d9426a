// The states of many users beside one ranker.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lstmrec/next_item/ranker.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/next_item/user_state.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "../data/thrown.hpp"
#include "catch.hpp"
#include "random_recommender.hpp"
#include "trained_recommender.hpp"

using namespace lstmrec;

namespace {

std::vector<float> copy_of(std::span<const float> scores) { return {scores.begin(), scores.end()}; }

bool same_lists(std::span<const Recommendation> a, std::span<const Recommendation> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Recommendation& x, const Recommendation& y) {
    return x.item == y.item && x.title == y.title && x.score == y.score;
  });
}

/// The state of a user after some events of the ids 0, 1, …
UserState after(Ranker& ranker, int events) {
  UserState user;
  for (int id = 0; id < events; ++id) ranker.observe(user, id);
  return user;
}

std::string refusal(const Ranker& ranker, std::span<const std::byte> bytes) {
  return thrown<Error>([&] { ranker.restore(bytes); });
}

}  // namespace

TEST_CASE("Ranker: many interleaved users get what sessions of their own give") {
  Recommender recommender = GENERATE(false, true) ? sample_recommender_with_markov() : sample_recommender();
  if (GENERATE(false, true)) recommender.cache_input_projections();
  const Sequences& sequences = sample_split().sequences;
  constexpr std::size_t users = 12;
  Ranker ranker(recommender);
  std::vector<UserState> states(users);
  std::vector<Session> sessions(users, Session(recommender));
  for (std::size_t round = 0; round < 30; ++round)
    for (std::size_t user = 0; user < users; ++user) {
      if (round >= sequences[user].size()) continue;
      const RawId& id = recommender.item_ids().id(sequences[user].items[round]);
      ranker.observe(states[user], id);
      sessions[user].observe(id);
      if ((round + user) % 7 != 0) continue;
      REQUIRE(copy_of(ranker.scores(states[user])) == copy_of(sessions[user].scores()));
      REQUIRE(same_lists(ranker.top_n(states[user], 5), sessions[user].top_n(5)));
    }
  for (std::size_t user = 0; user < users; ++user) {
    CHECK(states[user] == sessions[user].state());
    CHECK(copy_of(ranker.scores(states[user])) == copy_of(sessions[user].scores()));
    CHECK(ranker.save(states[user]) == sessions[user].save());
  }
  // A list is that of the user who is asked for, also after another user's scores.
  const auto first = ranker.top_n(states[0], 5);
  const std::vector<Recommendation> kept(first.begin(), first.end());
  ranker.scores(states[1]);
  CHECK(same_lists(ranker.top_n(states[0], 5), kept));
}

TEST_CASE("Ranker: whole histories at once, unknown ids and new users, among others") {
  const Recommender& recommender = sample_recommender_with_markov();
  Ranker ranker(recommender);
  UserState single, whole, nobody;
  std::vector<RawId> ids;
  for (const std::uint32_t item : sample_split().sequences[4].items.first(25))
    ids.push_back(recommender.item_ids().id(item));
  for (std::size_t k = 0; k < ids.size(); ++k) {
    ranker.observe(single, ids[k]);
    if (k == 10) ranker.observe_all(whole, std::span(ids).first(12));
  }
  ranker.observe_all(whole, std::span(ids).subspan(12));
  CHECK(whole.events == 25);
  CHECK(whole.seen == single.seen);
  CHECK(whole.recent == single.recent);
  CHECK(whole.recent.size() == recommender.markov().options.window);
  REQUIRE(whole.network.size() == single.network.size());
  for (std::size_t k = 0; k < whole.network.size(); ++k)
    REQUIRE(std::abs(whole.network[k] - single.network[k]) < 1e-4f);

  const UserState before = single;
  CHECK_THROWS_AS(ranker.observe(single, "no such film"), UnknownId);
  CHECK(!ranker.observe_if_known(single, 123456789));
  CHECK_THROWS_AS(ranker.observe_all(single, std::vector<RawId>{ids[0], RawId("no such film")}), UnknownId);
  ranker.observe_all(single, std::vector<RawId>());
  CHECK(single == before);

  // A user without events gets the most popular items, whoever came before.
  Session session(recommender);
  CHECK(copy_of(ranker.scores(nobody)) == copy_of(session.scores()));
  CHECK(nobody == UserState());
}

TEST_CASE("Ranker: allowed candidates, and those of another number of items") {
  const Recommender& recommender = sample_recommender();
  Ranker ranker(recommender);
  UserState user;
  ranker.observe(user, recommender.item_ids().id(0));
  const RawId &seen = recommender.item_ids().id(0), &other = recommender.item_ids().id(7);
  const auto list = ranker.top_n(user, 9, Candidates(recommender, {.allow = {{seen, other}}}));
  REQUIRE(list.size() == 1);
  CHECK(list[0].item == other);
  CHECK(ranker.top_n(user, 9, Candidates(recommender, {.exclude_seen = false, .allow = {{seen, other}}})).size() == 2);
  const Recommender smaller(random_parts(recommender.items() - 1, {.embedding_size = 2, .hidden_size = 2}));
  CHECK_THROWS_AS(ranker.top_n(user, 9, Candidates(smaller)), std::invalid_argument);
}

TEST_CASE("Ranker: cannot be made from a recommender that is about to go, or that knows no items") {
  CHECK(std::is_constructible_v<Ranker, const Recommender&>);
  CHECK(!std::is_constructible_v<Ranker, Recommender&&>);
  CHECK(!std::is_constructible_v<Ranker, const Recommender&&>);
  const Recommender empty;
  CHECK_THROWS_AS(Ranker(empty), std::invalid_argument);
}

TEST_CASE("User state: as bytes and back it is the same, and goes on with the same bits") {
  const bool with_markov = GENERATE(false, true);
  const Recommender& recommender = with_markov ? sample_recommender_with_markov() : sample_recommender();
  Ranker ranker(recommender), other(recommender);
  const auto items = static_cast<std::size_t>(recommender.items());
  UserState user;
  for (std::size_t event = 0; event < 30; ++event) {
    const std::uint64_t fingerprint = recommender.fingerprint();
    UserState restored = user_state_from_bytes(to_bytes(user, fingerprint), fingerprint, items,
                                               user.events == 0 ? 0 : user.network.size());
    REQUIRE(restored == user);
    REQUIRE(other.restore(ranker.save(user)) == user);
    const RawId& id = recommender.item_ids().id(static_cast<std::uint32_t>(event * event % 23));
    ranker.observe(user, id);
    other.observe(restored, id);
    REQUIRE(restored == user);
    REQUIRE(copy_of(ranker.scores(user)) == copy_of(other.scores(restored)));
  }
  CHECK(user.seen.size() < user.events);  // repeats count as events and are kept once
}

TEST_CASE("User state: damaged bytes are refused") {
  const Recommender& recommender = sample_recommender_with_markov();
  Ranker ranker(recommender);
  UserState user;
  for (const std::uint32_t item : {5u, 9u, 2u}) ranker.observe(user, recommender.item_ids().id(item));
  const auto bytes = ranker.save(user);
  constexpr std::size_t header = sizeof(detail::UserStateHeader);
  REQUIRE(bytes.size() == header + 4 * (user.network.size() + 3 + 3));

  for (std::size_t length = 0; length < bytes.size(); ++length)
    REQUIRE(refusal(ranker, std::span(bytes).first(length)) == "a saved user state is cut short");
  auto longer = bytes;
  longer.push_back(std::byte{0});
  CHECK(refusal(ranker, longer) == "a saved user state is cut short");

  // The header holds the kind, the recommender and the sizes, each of which has to be right.
  const auto with = [&](std::size_t place, auto number) {
    auto changed = bytes;
    std::memcpy(changed.data() + place, &number, sizeof number);
    return changed;
  };
  for (std::size_t field = 0; field < header; field += 8) {
    // Any number of events is as good as another, and so is any time.
    if (field == offsetof(detail::UserStateHeader, events)) continue;
    if (field == offsetof(detail::UserStateHeader, last_time)) continue;
    for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
      CAPTURE(field, number);
      CHECK(refusal(ranker, with(field, number)) != "");
    }
  }
  CHECK(refusal(ranker, with(offsetof(detail::UserStateHeader, events), std::uint64_t{0})) ==
        "a saved user state is damaged");

  // All items have to be the recommender's, and seen items have to ascend.
  const std::size_t recent = header + 4 * user.network.size(), seen = recent + 4 * 3;
  const auto items = static_cast<std::uint32_t>(recommender.items());
  CHECK(refusal(ranker, with(recent, items)) == "a saved user state is damaged");
  CHECK(refusal(ranker, with(seen + 8, items)) == "a saved user state is damaged");
  CHECK(refusal(ranker, with(seen, 5u)) == "a saved user state is damaged");   // 5, 5, 9
  CHECK(refusal(ranker, with(seen, 10u)) == "a saved user state is damaged");  // 10, 5, 9
  CHECK(refusal(ranker, bytes) == "");

  Ranker stranger(sample_recommender());
  CHECK(refusal(stranger, bytes) == "a saved user state belongs to another recommender");
}

TEST_CASE("User state: a long history of few items, at once, takes no more memory than its items") {
  const Recommender recommender(random_parts(500, {.embedding_size = 4, .hidden_size = 4, .markov_weight = 0}));
  Ranker ranker(recommender);
  UserState whole, single;
  std::vector<RawId> ids;
  for (int k = 0; k < 2000; ++k) ids.push_back(k % 10 * 50);
  ranker.observe_all(whole, ids);
  ranker.observe_all(whole, std::vector<RawId>{7, 450, 7, 3, 499, 0});
  for (const RawId& id : ids) ranker.observe(single, id);
  for (const int id : {7, 450, 7, 3, 499, 0}) ranker.observe(single, id);
  CHECK(whole == single);
  CHECK(whole.seen == std::vector<std::uint32_t>{0, 3, 7, 50, 100, 150, 200, 250, 300, 350, 400, 450, 499});
  CHECK(whole.seen.capacity() <= 20);
}

TEST_CASE("User state: after 100 events at 64 units it takes less than 2000 bytes, whatever the catalogue") {
  for (const CellKind cell : {CellKind::lstm, CellKind::gru, CellKind::slstm})
    for (const Index items : {200, 3000}) {
      const Recommender recommender(
          random_parts(items, {.embedding_size = 64, .hidden_size = 64, .cell = cell, .markov_weight = 0}));
      Ranker ranker(recommender);
      const UserState user = after(ranker, 100);
      REQUIRE(user.seen.size() == 100);
      CHECK(user.network.size() == (cell == CellKind::lstm ? 3u : cell == CellKind::gru ? 2u : 5u) * 64);
      CHECK(user.recent.capacity() == 0);
      CHECK(sizeof(UserState) + 4 * (user.network.capacity() + user.recent.capacity() + user.seen.capacity()) < 2000);
    }
}

TEST_CASE("User state: of another recommender it is refused and has not changed") {
  const Recommender first(random_parts(50, {.embedding_size = 4, .hidden_size = 4, .markov_weight = 0}));
  RecommenderConfig wider{.embedding_size = 8, .hidden_size = 8, .markov_weight = 0};
  const Recommender second(random_parts(50, wider));
  Ranker ranker(first), stranger(second);
  UserState user = after(ranker, 3);
  const UserState before = user;
  CHECK_THROWS_AS(stranger.observe(user, first.item_ids().id(0)), std::invalid_argument);
  CHECK_THROWS_AS(stranger.top_n(user, 3), std::invalid_argument);
  CHECK(user == before);
}
