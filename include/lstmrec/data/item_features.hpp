#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/feature_rows.hpp>
#include <lstmrec/data/event.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// Calls found(word) for each word of a text: a run of letters and digits in lower case. What is not ASCII counts as a
/// letter and stays as it is.
template <class Found>
void for_each_word(std::string_view text, Found&& found) {
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0)
      word += byte < 0x80 ? static_cast<char>(std::tolower(byte)) : c;
    else if (!word.empty())
      found(std::exchange(word, {}));
  }
  if (!word.empty()) found(word);
}

}  // namespace detail

/// The features that items are told by: categories, and the words of their titles. They are found in a catalogue, and
/// then say of any item, known or new, which it has.
///
///     const auto features = find_item_features(catalogue, {.title_words = true});
///     const FeatureRows rows = features.rows(catalogue);
class ItemFeatures {
 public:
  ItemFeatures() = default;
  /// Names as `names()` gives them, each once.
  explicit ItemFeatures(std::vector<std::string> names) : names_(std::move(names)) {
    for (std::uint32_t feature = 0; feature < names_.size(); ++feature) numbers_.emplace(names_[feature], feature);
  }

  std::size_t size() const { return names_.size(); }
  bool are_distinct() const { return numbers_.size() == names_.size(); }
  std::optional<std::uint32_t> find(const std::string& name) const {
    const auto known = numbers_.find(name);
    return known == numbers_.end() ? std::nullopt : std::optional(known->second);
  }
  /// By number: `category Comedy`, `word star`.
  const std::vector<std::string>& names() const { return names_; }

  /// Appends the row of an item. Its categories share a sum of 1, and so do the words of its title; those that are not
  /// among the features are left out.
  void add_row(const ItemInfo& info, FeatureRows& rows) const {
    std::vector<std::uint32_t> found;
    const auto end_group = [&] {
      std::sort(found.begin(), found.end());
      found.erase(std::unique(found.begin(), found.end()), found.end());
      for (const std::uint32_t feature : found) rows.push(feature, 1 / static_cast<float>(found.size()));
      found.clear();
    };
    const auto add = [&](const std::string& name) {
      if (const auto known = find(name)) found.push_back(*known);
    };
    for (const std::string& category : info.genres) add(category_prefix + category);
    end_group();
    detail::for_each_word(info.title, [&](const std::string& word) { add(word_prefix + word); });
    end_group();
    rows.end_row();
  }

  /// A row an item.
  FeatureRows rows(std::span<const ItemInfo> catalogue) const {
    FeatureRows all;
    for (const ItemInfo& info : catalogue) add_row(info, all);
    return all;
  }

  static inline const std::string category_prefix = "category ", word_prefix = "word ";

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::uint32_t> numbers_;
};

/// So many features are used where nobody says how many: those of the most items.
inline constexpr std::size_t most_item_features = 20'000;

/// Which features of items are looked for.
struct ItemFeatureOptions {
  bool categories = true;
  bool title_words = false;
  std::size_t min_items = 2;  ///< A feature of fewer items says nothing that the item does not.
  std::size_t most = 0;       ///< At most so many, those of the most items, of equal ones the first by name; 0: all.
};

/// The features of a catalogue in the order of their names.
inline ItemFeatures find_item_features(std::span<const ItemInfo> catalogue, const ItemFeatureOptions& options = {}) {
  std::map<std::string, std::size_t> items;
  std::vector<std::string> own;
  for (const ItemInfo& info : catalogue) {
    own.clear();
    if (options.categories)
      for (const std::string& category : info.genres) own.push_back(ItemFeatures::category_prefix + category);
    if (options.title_words)
      detail::for_each_word(info.title,
                            [&](const std::string& word) { own.push_back(ItemFeatures::word_prefix + word); });
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
    for (const std::string& name : own) ++items[name];
  }
  std::vector<std::string> names;
  for (const auto& [name, count] : items)
    if (count >= options.min_items) names.push_back(name);
  if (options.most > 0 && names.size() > options.most) {
    std::stable_sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return items[a] > items[b]; });
    names.resize(options.most);
    std::sort(names.begin(), names.end());
  }
  return ItemFeatures(std::move(names));
}

}  // namespace lstmrec
