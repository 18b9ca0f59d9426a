#pragma once

#include <algorithm>
#include <cstddef>
#include <lstmrec/lstmrec.hpp>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace example {

/// A word of a table and what it means, for people who are not from the field.
using Explanation = std::pair<std::string, std::string>;

/// The figures at a cutoff.
inline std::vector<Explanation> explained_figures(std::size_t k) {
  const std::string at = "@" + std::to_string(k), number = std::to_string(k);
  return {{"HR" + at, "how often the item that came next is among the " + number + " recommended"},
          {"NDCG" + at, "as HR, but a lower place counts less: place 1 counts 1, place 2 .63, place 10 .29"},
          {"MRR", "the mean of 1 / place of the item that came next, among all items"},
          {"coverage" + at, "the part of the catalogue that anybody is recommended"},
          {"popularity" + at, "how often the recommended items occur in training, on average"}};
}

/// Explains a model of the trainer's table; returns an empty text for other names.
inline std::string_view explained_model(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> texts[] = {
      {"lstmrec", "the trained network, with the table of counts that helps it, if one does"},
      {"LSTM alone", "its network without these counts"},
      {"time not known", "lstmrec without being told when the item that comes next is taken"},
      {"popularity", "the most frequent items, the same for everybody"},
      {"recent popularity", "the most frequent items of the last 7 days"},
      {"repeats", "what the user has had, the newest first"},
      {"sequential rules", "what followed the last item within 10 events, the nearer the more"},
      {"V-SKNN", "what the most similar sequences hold (session nearest neighbours)"},
      {"STAN", "the same, where newer sequences and nearer places count more"},
      {"VSTAN", "the same, where rare items and newer events count more too"},
      {"Markov", "what came directly after the last item"},
      {"decayed Markov", "what came soon after the last 20 items, newer items counting more"},
      {"item-kNN", "items that the same users have as the last 20 items"},
      {"EASE", "a linear map from the items of a user to others, in closed form"},
      {"decayed ridge", "a linear map from the last 20 items to the next one, in closed form"}};
  const auto found =
      std::find_if(std::begin(texts), std::end(texts), [&](const auto& text) { return text.first == name; });
  return found == std::end(texts) ? std::string_view() : found->second;
}

/// The figures and the models of a table.
inline std::vector<Explanation> explanations(std::span<const lstmrec::NamedEvaluation> rows, std::size_t k) {
  std::vector<Explanation> all = explained_figures(k);
  for (const auto& row : rows)
    if (const auto text = explained_model(row.name); !text.empty()) all.emplace_back(row.name, text);
  return all;
}

/// A line each, in two columns.
inline void write_explanations(std::ostream& out, const std::vector<Explanation>& all) {
  std::size_t width = 0;
  for (const auto& [word, meaning] : all) width = std::max(width, word.size());
  for (const auto& [word, meaning] : all)
    out << "  " << word << std::string(width + 2 - word.size(), ' ') << meaning << '\n';
}

}  // namespace example
