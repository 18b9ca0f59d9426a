/// Takes new items into a trained recommender, or old ones out of its lists, without training:
///
///     add_items --model shop.safetensors --items new_items.csv --out shop.safetensors
///
/// The model recommends new items at once, to whom their categories and titles suit, and better so where it was trained
/// with features of items (train --item-features -1).

#include <filesystem>
#include <fstream>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <vector>

#include "any_log.hpp"
#include "command_line.hpp"
#include "console.hpp"

int main(int argc, char** argv) {
  using namespace lstmrec;
  using namespace example;
  std::filesystem::path model, items, out, withdraw;
  ItemTableOptions table;
  CommandLine line("Takes new items into a trained recommender, or old ones out of its lists, without training.");
  line.add_option("--model", model, "A recommender that a trainer has written").required();
  add_table_options(line, table, line.add_option("--items", items, "A table of the new items"));
  line.add_option("--withdraw", withdraw, "Items to be listed no more: their ids, one a line");
  line.add_option("--out", out, "Write the recommender to this file, which may be that of --model").required();
  return line.run(argc, argv, [&] {
    if (items.empty() && withdraw.empty()) throw Error("there is nothing to do without --items and --withdraw");
    check_outputs({{"--out", out}}, {{"--items", items}, {"--withdraw", withdraw}});
    Recommender recommender = load_recommender(model);
    const Index before = recommender.items();
    if (!items.empty()) {
      const auto rows = read_items(items, table, false,
                                   [](const auto& path, const auto& options) { return read_catalogue(path, options); });
      recommender.add_items(rows);
      std::size_t told = 0;
      for (const CatalogueItem& row : rows) {
        FeatureRows features;
        recommender.features().add_row(row.info, features);
        told += !features.empty();
      }
      std::cerr << items.string() << ": " << grouped(static_cast<std::size_t>(recommender.items() - before))
                << " items are new";
      if (recommender.features().size() > 0)
        std::cerr << "; " << grouped(told) << " of " << grouped(rows.size()) << " have features that the model knows";
      std::cerr << '\n';
    }
    if (!withdraw.empty()) {
      std::ifstream file(withdraw);
      if (!file) throw Error(withdraw.string() + ": can't be read");
      std::vector<RawId> ids;
      for (std::string id; std::getline(file, id);) {
        if (id.ends_with('\r')) id.pop_back();
        if (!id.empty()) ids.emplace_back(id);
      }
      const std::size_t unknown = recommender.withdraw_items(ids).size();
      std::cerr << withdraw.string() << ": " << grouped(ids.size() - unknown) << " items are listed no more, and "
                << grouped(unknown) << " are unknown\n";
    }
    save(recommender, out);
    return 0;
  });
}
