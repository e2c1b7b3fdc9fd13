// What some consecutive events of a run and everything they refer to become in a jsonl export,
// read and not yet written: while one window is filled with events, the texts of the one before
// are read, and the one before that is written.
//
// A window is large, and its texts are read together, because where a text lies in a store has
// nothing to do with the order of the events: see pievt/blobs.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "pievt/run_source.h"
#include "store/format/digest_set.h"
#include "tools/exporters/event_copies.h"
#include "tools/exporters/event_facts.h"

namespace pievt::tools {

struct JsonlWindow {
  /// A text that is written before the event that is the first to refer to it.
  struct Text {
    enum class State : std::uint8_t { found, missing, unreadable } state = State::missing;
    schema::BlobRef ref;
    std::size_t begin = 0, size = 0;  ///< in `content`
    std::size_t error = 0;            ///< in `errors`, where it is unreadable
  };
  /// What there is to know of the event in the same place of `copies`, and how much of the other
  /// lists goes before it.
  struct Item {
    const EventFacts::Shape* shape = nullptr;
    std::size_t actors_end = 0, texts_end = 0;
  };

  EventCopies copies;
  std::vector<Item> items;
  std::vector<Actor> actors;
  std::vector<Text> texts;
  std::uint64_t awaited_bytes = 0;  ///< what the texts will take, as far as the events say
  std::string content;
  std::vector<Error> errors;
  /// Why it goes on no further: the last item is then an event that could not be looked into, of
  /// which only the actor is written.
  std::optional<Error> end;

  std::string_view text_of(const Text& text) const {
    return std::string_view(content).substr(text.begin, text.size);
  }
  void clear();
};

/// Fills windows from the events of a source.
class JsonlReading {
 public:
  static constexpr std::size_t window_bytes = std::size_t{6} << 20;

  /// Both must live longer. A window is full when its events or its texts take so many bytes.
  JsonlReading(const RunSource& source, EventFacts& facts, std::size_t full_bytes = window_bytes)
      : source_(source), facts_(facts), full_bytes_(full_bytes) {}

  /// Adds the next event. False: the window is full, or goes on no further.
  bool add(const EventView& event, JsonlWindow& window);

  /// Reads the texts of the window, once, when nothing more is added to it.
  void read_texts(JsonlWindow& window) const;

 private:
  Status look_into(const EventView& event, JsonlWindow& window, JsonlWindow::Item& item);

  const RunSource& source_;
  EventFacts& facts_;
  std::size_t full_bytes_;
  std::unordered_set<std::uint32_t> actors_;
  DigestSet texts_;
};

}  // namespace pievt::tools
