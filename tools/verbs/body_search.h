// Searches the texts of events and the bodies they refer to. Bodies are unpacked and searched by
// several threads, a bounded batch at a time, and found lines come in the order of the events.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "tools/verbs/event_names.h"
#include "tools/verbs/text_pattern.h"

namespace pievt::tools {

/// A line of a text that matched.
struct FoundLine {
  std::uint64_t number = 0;                ///< from 1 within the text
  std::string text;                        ///< cut where it is longer than a screen would show
  TextMatch match;                         ///< in `text`
  std::vector<std::string> before, after;  ///< lines around it
};

/// Where lines were found: in which field of which event.
struct FoundText {
  std::string run;
  std::uint64_t revision = 0;
  std::string subject;
  std::string type;
  std::string field;
  std::vector<FoundLine> lines;
};

struct SearchTotals {
  std::uint64_t events = 0, bodies = 0, bytes = 0, lines = 0;
  std::uint64_t missing = 0;  ///< bodies that are redacted or damaged
};

class BodySearch {
 public:
  using Sink = std::function<void(const FoundText&)>;

  /// All must live longer. `context`: lines around a match.
  BodySearch(const Log& log, const TextPattern& pattern, EventNames& names, std::size_t context,
             Sink sink);

  /// Looks into one event; what is found may be told later.
  void event(const EventView& event);
  /// Tells what is left.
  void finish();

  const SearchTotals& totals() const { return totals_; }

 private:
  struct Item {
    FoundText found;
    schema::BlobRef ref;
    bool missing = false;
  };
  void fields(const EventView& event);
  void search_batch();

  const Log& log_;
  const TextPattern& pattern_;
  EventNames& names_;
  std::size_t context_;
  Sink sink_;
  std::vector<Item> batch_;
  std::uint64_t batch_bytes_ = 0;
  SearchTotals totals_;
};

/// The lines of `text` that match.
std::vector<FoundLine> matching_lines(const TextPattern& pattern, std::string_view text,
                                      std::size_t context);

}  // namespace pievt::tools
