#pragma once

#include <lstmrec/data/event.hpp>
#include <lstmrec/data/raw_id.hpp>

namespace lstmrec {

/// A row of a catalogue: an item, and what is known of it.
struct CatalogueItem {
  RawId id;
  ItemInfo info = {};
};

}  // namespace lstmrec
