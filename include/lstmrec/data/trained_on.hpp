#pragma once

#include <cstdint>
#include <optional>

namespace lstmrec {

/// The events that a model has learned from, as its file says: without them nobody can tell whether figures of the
/// model are those of a test. See test_caveat.
struct TrainedOn {
  std::uint64_t events = 0;                    ///< Of the training part; 0: not known, as of files of earlier versions.
  std::uint64_t held_out = 0;                  ///< Events of the log that training did not see.
  std::uint64_t split = 0;                     ///< The split's fingerprint.
  std::optional<std::int64_t> last_time = {};  ///< Of the latest event of the training part, where the log has times.

  bool is_known() const { return events > 0; }
  friend bool operator==(const TrainedOn&, const TrainedOn&) = default;

  /// Calls visitor(name, field) for every field.
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("events", self.events);
    visitor("held_out", self.held_out);
    visitor("split", self.split);
    visitor("last_time", self.last_time);
  }
};

}  // namespace lstmrec
