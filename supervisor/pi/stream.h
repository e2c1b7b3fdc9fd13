// Understands what pi prints on stdout, in both dialects, as it arrives: bytes in, observations
// out.
//
// Built so that a batch of children can be followed by one thread: the lines that make up nearly
// all of the bytes (updates of a message or of a tool's output) are passed over without being
// collected or parsed, see line_splitter.h. What remains is parsed once, whole lines only.
//
// Any bytes are accepted. What is not an event is reported as `Unparsable` and changes nothing
// else; an event with foreign text in front of it (an extension's child wrote to the same
// descriptor) is recovered. The observations do not depend on how the stream is cut into chunks,
// except `Streaming`, of which there is at most one per feed.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "supervisor/pi/event_parser.h"
#include "supervisor/pi/line_splitter.h"
#include "supervisor/pi/stream_events.h"

namespace pievt::pi {

/// Receives observations in the order of their lines.
using ObservationSink = std::function<void(Observation&&)>;

/// Movable; one thread at a time.
class Stream {
 public:
  /// `start` is where the first byte fed stands: the beginning of a line, when a stream is taken up
  /// in the middle.
  explicit Stream(LineStart start = {});

  /// Hands each observation that `chunk` completes to `sink`.
  void feed(std::string_view chunk, const ObservationSink& sink);
  void feed(std::span<const std::byte> chunk, const ObservationSink& sink);

  /// The stream is over. A last line without a newline counts if it is whole; otherwise it is
  /// reported as unterminated.
  void finish(const ObservationSink& sink);

  /// Bytes of an unfinished line that are held in memory now.
  std::size_t held_size() const { return splitter_.held_size(); }

 private:
  void see(const Line& line, const ObservationSink& sink);
  void see_update(const Line& line, const ObservationSink& sink);
  void see_oversized(const Line& line, const ObservationSink& sink);
  void see_whole(const Line& line, const ObservationSink& sink);
  bool recover(const Line& line, const ObservationSink& sink);
  void emit(Observation&& observation, const ObservationSink& sink);
  void emit_streaming(const ObservationSink& sink);

  LineSplitter splitter_;
  EventParser parser_;
  std::optional<Streaming> streaming_;  // seen in this feed and not yet handed on
  bool streaming_emitted_ = false;      // in this feed
};

}  // namespace pievt::pi
