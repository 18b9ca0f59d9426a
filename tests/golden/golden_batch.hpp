#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/next_item/batch.hpp>
#include <span>
#include <string>
#include <vector>

#include "golden/golden.hpp"

/// A batch of a golden file, with what it borrows.
struct GoldenBatch {
  lstmrec::SequenceBatch batch;
  std::vector<std::vector<std::uint32_t>> excluded;

  GoldenBatch(const Golden& golden, const std::string& prefix) {
    batch.labels_per_column = static_cast<std::uint32_t>(golden[prefix + "targets"].rows());
    batch.steps = lstmrec::PackedSteps(golden.list<lstmrec::Index>("lengths"));
    batch.inputs = golden.list<std::uint32_t>(prefix + "inputs");
    batch.labels = golden.list<std::uint32_t>(prefix + "targets");
    batch.weights = golden.list<float>(prefix + "weights");
    const auto& mask = golden[prefix + "excluded"];
    for (lstmrec::Index column = 0; column < mask.cols(); ++column) {
      auto& items = excluded.emplace_back();
      for (std::uint32_t item = 0; item < mask.rows(); ++item)
        if (mask(item, column) != 0) items.push_back(item);
    }
    for (const auto& items : excluded) batch.excluded.push_back(items);
  }
  GoldenBatch(GoldenBatch&&) = default;  // moving a vector leaves its elements where they are
};
