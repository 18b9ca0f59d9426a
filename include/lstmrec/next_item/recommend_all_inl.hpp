#pragma once

/// The bodies of recommend_all.hpp.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/io/csv_writer.hpp>
#include <lstmrec/io/fixed.hpp>
#include <lstmrec/next_item/batch_ranker.hpp>
#include <lstmrec/next_item/candidates.hpp>
#include <lstmrec/next_item/recommend_all.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace lstmrec {

template <class Network>
std::size_t write_recommendations(const BasicRecommender<Network>& recommender, const Sequences& sequences,
                                  std::size_t n, const Candidates& candidates, std::ostream& csv, std::size_t threads) {
  if (sequences.items != recommender.item_ids())
    throw std::invalid_argument("the sequences must have the recommender's items, with its indices: see align_items");
  recommender.context().expect_times_of(sequences);
  constexpr std::size_t batch = 64;
  const BasicBatchRanker<Network> ranker(recommender);
  ThreadPool pool(threads);
  csv << "user,rank,item,score,title\n";
  const std::size_t at_once = batch * pool.threads();
  std::atomic<std::size_t> without = 0;
  for (std::size_t begin = 0; begin < sequences.size(); begin += at_once) {
    std::vector<std::string> lines((std::min(at_once, sequences.size() - begin) + batch - 1) / batch);
    pool.run(lines.size(), [&](std::size_t part) {
      const std::size_t first = begin + part * batch, count = std::min(batch, sequences.size() - first);
      std::vector<History> histories;
      for (std::size_t i = 0; i < count; ++i) histories.push_back(sequences[first + i]);
      const auto lists = ranker.top_n(histories, n, candidates);
      for (std::size_t i = 0; i < count; ++i) {
        if (lists[i].empty()) ++without;
        std::size_t rank = 0;
        for (const auto& [item, score] : lists[i])
          lines[part] += csv_field(sequences.users.id(static_cast<std::uint32_t>(first + i)).text()) + "," +
                         std::to_string(++rank) + "," + csv_field(recommender.item_ids().id(item).text()) + "," +
                         detail::fixed(static_cast<double>(score), 6) + "," +
                         csv_field(recommender.catalogue()[item].title) + "\n";
      }
    });
    for (const auto& part : lines) csv << part;
  }
  if (!csv.flush()) throw Error("the lists could not be written");
  return without;
}

}  // namespace lstmrec
