#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/config_fields.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <span>
#include <string>
#include <vector>

namespace lstmrec {

/// Adds the sequences of session kNN to a file as `sessions.…`. The items' counts are not in it.
inline void put_session_knn(TensorWriter& file, const SessionKnn& knn) {
  file.put_owned("sessions.offsets", std::vector<std::int64_t>(knn.offsets.begin(), knn.offsets.end()));
  file.put("sessions.items", {knn.sequence_items.size()}, std::span(knn.sequence_items));
  file.put("sessions.places", {knn.places.size()}, std::span(knn.places));
  file.put("sessions.ages", {knn.ages.size()}, std::span(knn.ages));
  file.metadata["sessions.training_sequences"] = detail::to_text(knn.training_sequences);
  file.metadata["sessions.log_end"] = detail::to_text(knn.log_end);
  SessionKnnOptions::visit(knn.options, [&](const char* name, const auto& option) {
    file.metadata[detail::message({"sessions.", name})] = detail::to_text(option);
  });
}

/// Reads them back. Throws ModelFileError unless they are sequences of so many items.
inline SessionKnn get_session_knn(TensorReader& file, const std::vector<std::uint32_t>& item_counts) {
  SessionKnn knn;
  const auto get = [&](const char* name, auto& option) {
    const std::string* text = file.text(detail::message({"sessions.", name}));
    if (text == nullptr || !detail::from_text(*text, option))
      detail::fail<ModelFileError>(
          {file.path(), ": sessions.", name, ": expected a number, found ", detail::found_text(text)});
  };
  get("training_sequences", knn.training_sequences);
  if (file.text("sessions.log_end") != nullptr) get("log_end", knn.log_end);  // files of earlier versions have none
  SessionKnnOptions::visit(knn.options, get);
  knn.counts = item_counts;
  knn.sequence_items = file.get<std::uint32_t>("sessions.items");
  knn.ages = file.get<double>("sessions.ages");
  file.expect_shape("sessions.offsets", {knn.ages.size() + 1});
  knn.offsets = file.get_offsets("sessions.offsets", knn.sequence_items.size());
  file.expect_shape("sessions.places", {knn.sequence_items.size()});
  knn.places = file.get<std::uint32_t>("sessions.places");
  check_read(file, "sessions.", [&] { knn.check(); });
  knn.index();
  return knn;
}

}  // namespace lstmrec
