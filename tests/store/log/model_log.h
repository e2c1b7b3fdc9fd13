// The log as it would be if it were a vector: no disk, no pages, no groups. Slow, obvious, and the
// judge of the real one in model_log_test.cc.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pievt/log.h"

namespace pievt::test {

/// An event as both logs can show it. Its sequence is its place in the vector, from 1.
struct ModelEvent {
  std::string stream;
  std::uint64_t revision = 0;
  std::string what;  ///< its text, or the name of its type for the log's own events
  friend bool operator==(const ModelEvent&, const ModelEvent&) = default;
};

/// What an append asks for, in values that can be compared.
struct ModelRequest {
  struct Part {
    std::string stream;
    std::uint64_t expected;  ///< Expected::code()
    std::vector<std::string> texts;
    friend bool operator==(const Part&, const Part&) = default;
  };
  std::vector<Part> parts;
  AppendId id;

  std::size_t events() const {
    std::size_t count = 0;
    for (const Part& part : parts) count += part.texts.size();
    return count;
  }
};

class ModelLog {
 public:
  std::vector<ModelEvent> events;
  std::vector<std::string> declared;  ///< streams, by number
  std::uint64_t published = 0;        ///< what readers in other Logs may see

  std::uint64_t head() const { return events.size(); }

  std::uint64_t revision(const std::string& stream) const {
    return static_cast<std::uint64_t>(std::ranges::count(events, stream, &ModelEvent::stream));
  }

  void create() {
    own("StreamDeclared");
    declared.emplace_back("store");
    for (const char* type : {"StoreCreated", "SchemaRegistered"}) own(type);
    open();
  }
  void open() {
    own("ActorDeclared");
    own("WriterOpened");
    published = head();
  }
  void close() {
    own("WriterClosed");
    published = head();
  }

  Result<Appended> append(const ModelRequest& request, Durability durability) {
    if (request.events() == 0) return Error{Errc::invalid, {}};
    if (const auto earlier = placed_.find(request.id); earlier != placed_.end()) {
      if (earlier->second.first.parts != request.parts) return Error{Errc::id_reused, {}};
      Appended again = earlier->second.second;
      again.outcome = AppendOutcome::already_there;
      return again;
    }
    for (const auto& part : request.parts) {
      const bool as_expected = Expected::from_code(part.expected).admits({revision(part.stream)});
      if (!as_expected) return Error{Errc::conflict, {}};
    }
    const Appended placed = place(request);
    placed_.emplace(request.id, std::pair(request, placed));
    if (durability != Durability::memory) published = head();
    return placed;
  }

 private:
  void own(const char* type) { events.push_back({"store", revision("store") + 1, type}); }

  Appended place(const ModelRequest& request) {
    for (const auto& part : request.parts) {
      if (part.texts.empty() || std::ranges::find(declared, part.stream) != declared.end())
        continue;
      own("StreamDeclared");
      declared.push_back(part.stream);
    }
    Appended placed{AppendOutcome::written, request.id, {head() + 1}, {}, {}};
    for (const auto& part : request.parts) {
      const std::uint64_t before = revision(part.stream);
      placed.streams.push_back(
          {{part.texts.empty() ? 0 : before + 1}, {before + part.texts.size()}});
      std::uint64_t at = before;
      for (const std::string& text : part.texts) events.push_back({part.stream, ++at, text});
    }
    placed.last = {head()};
    return placed;
  }

  std::map<AppendId, std::pair<ModelRequest, Appended>> placed_;
};

}  // namespace pievt::test
