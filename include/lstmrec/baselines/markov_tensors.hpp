#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/sparse_rows_tensors.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/config_fields.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lstmrec {

/// Adds transition counts to a file. The popularity is not in it: it follows from the items' counts.
inline void put_counts(TensorWriter& file, const MarkovChain& counts) {
  put_rows(file, "counts", counts.transitions);
  file.put("counts.totals", {counts.totals.size()}, std::span(counts.totals));
  MarkovOptions::visit(counts.options, [&](const char* name, const auto& option) {
    file.metadata[detail::message({"counts.", name})] = detail::to_text(option);
  });
}

/// Reads them back. Throws ModelFileError unless they are counts between so many items.
inline MarkovChain get_counts(TensorReader& file, const std::vector<std::uint32_t>& item_counts) {
  const std::size_t items = item_counts.size();
  MarkovChain counts;
  MarkovOptions::visit(counts.options, [&](const char* name, auto& option) {
    const std::string* text = file.text(detail::message({"counts.", name}));
    const std::string_view option_name = name;  // files of earlier versions kept all followers, and no similar items
    if (text == nullptr && (option_name == "followers" || option_name == "item_knn_weight")) return;
    if (text == nullptr || !detail::from_text(*text, option))
      detail::fail<ModelFileError>(
          {file.path(), ": counts.", name, ": expected a number, found ", detail::found_text(text)});
  });
  counts.transitions = get_rows(file, "counts", items);
  file.expect_shape("counts.totals", {items});
  counts.totals = file.get<float>("counts.totals");
  counts.popularity = Popularity(item_counts);
  check_read(file, "counts.", [&] { counts.check(); });
  return counts;
}

}  // namespace lstmrec
