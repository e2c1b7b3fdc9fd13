// Searches the texts of events and the bodies they refer to. Events are gathered in windows; while
// one is filled, other threads unpack and search the bodies of the one before, and found lines come
// in the order of the events. Within a window bodies are read in the order they lie in.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "pievt/log.h"
#include "store/format/reflect_blobs.h"
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

  /// How many threads search beside the one that asks: as many as the machine has a use for.
  static std::size_t helpers_of_machine();

  /// All must live longer. `context`: lines around a match.
  BodySearch(const Log& log, const TextPattern& pattern, EventNames& names, std::size_t context,
             Sink sink, std::size_t helpers = helpers_of_machine());

  /// Looks into one event; what is found may be told later.
  void event(const EventView& event);
  /// Tells what is left.
  void finish();

  const SearchTotals& totals() const { return totals_; }

 private:
  // Which run and which attempt: said once for all items of a window that share it.
  struct Names {
    std::string run, subject;
  };
  using Attempt = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;  // stream, job, attempt
  struct Item {
    std::size_t names = 0;
    std::uint64_t revision = 0;
    schema::Payload type{};
    std::string field;
    schema::BlobRef ref;
    bool missing = false;
    std::vector<FoundLine> lines;
  };
  // An item with a body, and the first bytes of the body's digest, as a number.
  struct Body {
    std::uint64_t front = 0;
    std::size_t item = 0;
  };
  struct Window {
    std::vector<Item> items;
    std::vector<Names> names;
    std::map<Attempt, std::size_t> known;
    Attempt last{};  ///< whose names were last asked for: mostly those that are wanted next
    std::size_t last_names = 0;
    std::vector<Body> bodies;  ///< the items with one; when searched, as they lie
    std::uint64_t bytes = 0;
    std::atomic<std::size_t> next = 0;  ///< of `bodies`: what nobody has begun with

    void clear();
  };

  Item& add_item(const EventView& event, std::string field);
  std::size_t names_of(const EventView& event);
  void fields(const EventView& event);
  void hand_over();
  void finish_searched();
  void work(Window& window) const;
  void search_part(Window& window, std::span<const Body> bodies) const;

  const Log& log_;
  const TextPattern& pattern_;
  EventNames& names_;
  std::size_t context_;
  Sink sink_;
  reflect::BlobFinder finder_;
  std::size_t helpers_, window_items_;
  std::unique_ptr<Window> filled_, searched_;
  SearchTotals totals_;
  std::vector<std::jthread> threads_;  // last: what they work on outlives them
};

/// The lines of `text` that match.
std::vector<FoundLine> matching_lines(const TextPattern& pattern, std::string_view text,
                                      std::size_t context);

}  // namespace pievt::tools
