#include <lstmrec/data/item_features.hpp>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

namespace {

const std::vector<ItemInfo> catalogue{{"Red Ball, the 2nd", {"Toys", "Balls"}},
                                      {"red kite", {"Toys"}},
                                      {"Großer Ball", {"Balls", "Toys", "Toys"}},
                                      {},
                                      {"", {"Only here"}}};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("Item features: categories and words that two items have, by name") {
  CHECK(find_item_features(catalogue).names() == Names{"category Balls", "category Toys"});
  CHECK(find_item_features(catalogue, {.title_words = true}).names() ==
        Names{"category Balls", "category Toys", "word ball", "word red"});
  CHECK(find_item_features(catalogue, {.categories = false, .title_words = true, .min_items = 1}).names() ==
        Names{"word 2nd", "word ball", "word großer", "word kite", "word red", "word the"});
  CHECK(find_item_features(catalogue, {.min_items = 4}).size() == 0);
  CHECK(find_item_features({}).size() == 0);
}

TEST_CASE("Item features: a limit keeps those of the most items, of equal ones the first by name") {
  CHECK(find_item_features(catalogue, {.title_words = true, .most = 1}).names() == Names{"category Toys"});
  CHECK(find_item_features(catalogue, {.title_words = true, .most = 3}).names() ==
        Names{"category Balls", "category Toys", "word ball"});
}

TEST_CASE("Item features: the categories of an item share 1, its words another 1, what is unknown is left out") {
  const ItemFeatures features = find_item_features(catalogue, {.title_words = true});
  const FeatureRows rows = features.rows(catalogue);
  REQUIRE(rows.rows() == 5);
  const auto row = [&](std::size_t item) {
    std::string text;
    for (std::size_t k = 0; k < rows[item].size(); ++k)
      text += features.names()[rows[item].features[k]] + ' ' + std::to_string(rows[item].values[k]).substr(0, 4) + ';';
    return text;
  };
  CHECK(row(0) == "category Balls 0.50;category Toys 0.50;word ball 0.50;word red 0.50;");
  CHECK(row(1) == "category Toys 1.00;word red 1.00;");
  CHECK(row(2) == "category Balls 0.50;category Toys 0.50;word ball 1.00;");
  CHECK(row(3).empty());
  CHECK(row(4).empty());

  const std::vector<ItemInfo> unseen{{"RED RED BALL of the year", {"Balls", "New"}}};
  const FeatureRows other = features.rows(unseen);
  CHECK(std::vector(other.values.begin(), other.values.end()) == std::vector<float>{1, 0.5f, 0.5f});
  CHECK(features.find("word red") == 3u);
  CHECK_FALSE(features.find("word kite"));
}
