// See stream.h. One line at a time, by its kind; the interesting part is recover().
#include "supervisor/pi/stream.h"

#include <array>
#include <utility>
#include <variant>

#include "pievt/bytes.h"
#include "supervisor/pi/limits.h"
#include "supervisor/pi/text.h"
#include "supervisor/pi/vocabulary.h"

namespace pievt::pi {

namespace {

// bash repeats its output so far every 100 ms; a chatty command of ten minutes is 300 MB of that.
constexpr std::array<std::string_view, 2> update_prefixes = {R"({"type":"message_update")",
                                                             R"({"type":"tool_execution_update")"};

bool ends_like_an_object(std::string_view tail) {
  const std::size_t last = tail.find_last_not_of(" \t\r");
  return last != std::string_view::npos && tail[last] == '}';
}

Unparsable unparsable(const Line& line, UnparsableReason reason) {
  return {line.start, line.length, reason, utf8_excerpt(line.bytes, limits::excerpt_size_max)};
}

// What to call a line that made no sense.
UnparsableReason reason_for(const Line& line) {
  return line.end == LineEnd::end_of_stream ? UnparsableReason::unterminated
                                            : UnparsableReason::not_json;
}

}  // namespace

Stream::Stream(LineStart start) : splitter_(update_prefixes, start) {}

void Stream::feed(std::string_view chunk, const ObservationSink& sink) {
  streaming_emitted_ = false;
  splitter_.feed(chunk, [&](const Line& line) { see(line, sink); });
  emit_streaming(sink);
}

void Stream::feed(std::span<const std::byte> chunk, const ObservationSink& sink) {
  if (chunk.empty()) return;
  feed(text_of(chunk), sink);
}

void Stream::finish(const ObservationSink& sink) {
  streaming_emitted_ = false;
  splitter_.finish([&](const Line& line) { see(line, sink); });
  emit_streaming(sink);
}

void Stream::see(const Line& line, const ObservationSink& sink) {
  switch (line.kind) {
    case LineKind::skipped:
      return see_update(line, sink);
    case LineKind::oversized:
      return see_oversized(line, sink);
    case LineKind::whole:
      return see_whole(line, sink);
  }
}

void Stream::see_update(const Line& line, const ObservationSink& sink) {
  if (!ends_like_an_object(line.tail)) return emit(unparsable(line, reason_for(line)), sink);
  streaming_ = Streaming{line.start, streaming_kind_in(line.bytes)};
}

void Stream::see_oversized(const Line& line, const ObservationSink& sink) {
  // An agent_end holds the whole run and may well be over the limit; its ends say enough. Not so of
  // a line without its newline: a cut line can end like a whole one.
  if (line.end == LineEnd::newline) {
    if (auto event = event_from_ends(line.bytes, line.tail, line.start)) {
      return emit(std::move(*event), sink);
    }
  }
  emit(unparsable(line, UnparsableReason::oversized), sink);
}

void Stream::see_whole(const Line& line, const ObservationSink& sink) {
  if (line.bytes.empty() || line.bytes == "\r") return;
  if (auto event = parser_.event(line.bytes, line.start)) return emit(std::move(*event), sink);
  if (recover(line, sink)) return;
  emit(unparsable(line, reason_for(line)), sink);
}

// Looks for an event that begins further inside the line and goes to its end. Only places where a
// known event's type stands are tried: a cut line is full of nested objects that begin alike. What
// stands before it may be an event as well (two writers, one newline lost); else it is foreign.
bool Stream::recover(const Line& line, const ObservationSink& sink) {
  std::size_t position = 0;
  for (int tries = 0; tries < limits::recovery_tries_max;) {
    position = line.bytes.find(event_beginning, position + 1);
    if (position == std::string_view::npos) return false;
    const std::string_view rest = line.bytes.substr(position);
    if (!is_event_type(type_in(rest.substr(0, limits::line_head_size_max)))) continue;
    ++tries;
    auto event = parser_.event(rest, {line.start.offset + position, line.start.number});
    if (!event) continue;
    const std::string_view front = line.bytes.substr(0, position);
    if (auto first = parser_.event(front, line.start)) {
      emit(std::move(*first), sink);
    } else {
      emit(Unparsable{line.start, position, UnparsableReason::glued,
                      utf8_excerpt(front, limits::excerpt_size_max)},
           sink);
    }
    emit(std::move(*event), sink);
    return true;
  }
  return false;
}

void Stream::emit(Observation&& observation, const ObservationSink& sink) {
  if (auto* const update = std::get_if<Streaming>(&observation)) {
    streaming_ = *update;
    return;
  }
  emit_streaming(sink);
  sink(std::move(observation));
}

// An update is handed on before whatever came after it, so that observations keep their order; a
// second one in the same feed would say nothing new.
void Stream::emit_streaming(const ObservationSink& sink) {
  if (!streaming_) return;
  const Streaming update = *std::exchange(streaming_, std::nullopt);
  if (std::exchange(streaming_emitted_, true)) return;
  sink(update);
}

}  // namespace pievt::pi
