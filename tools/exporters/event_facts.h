// What every format asks of an event: its type's name, its payload as JSON, the texts it refers to,
// the id of its job. Events that this program does not know are read with the schema they were
// written with, so a newer store loses nothing here.
//
// shape(), blobs() and what asks for them belong to the thread that reads the source. job() and
// append_payload() may be asked by any number of other threads at the same time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/run_source.h"
#include "store/format/reflect.h"
#include "store/format/reflect_blobs.h"
#include "store/format/reflect_json_table.h"

namespace pievt::tools {

/// RFC 3339 with nanoseconds, in UTC, of times that mostly lie close together.
class TimeText {
 public:
  /// Good until the next call.
  std::string_view of(std::uint64_t time_ns);

 private:
  std::uint64_t second_ = UINT64_MAX;
  std::string time_;
};

class EventFacts {
 public:
  /// Both must live longer. `run` names the jobs.
  EventFacts(const RunSource& source, const RunState& run);
  ~EventFacts();

  struct Known;
  /// What there is to know of all events of one type that were written with one schema.
  struct Shape {
    std::string name;  ///< see type()
    const reflect::ObjectType* table = nullptr;
    bool refers_to_blobs = false;
    Known* known = nullptr;
  };

  /// Of the event's type. Stays where it is.
  const Shape& shape(const EventView& event);

  /// "JobFinished"; "unknown(200)" only where not even the stored schema knows it.
  std::string_view type(const EventView& event) { return shape(event).name; }

  /// The payload as one JSON object on one line.
  Result<std::string> payload(const EventView& event);
  /// The same, appended. `proven`: blobs() has looked at the event.
  static Status append_payload(std::string& text, const EventView& event, const Shape& shape,
                               reflect::JsonTable::Proven proven);

  /// The texts and bytes the event refers to, good until the next call. Nothing is looked at where
  /// the shape refers to none.
  static Result<std::span<const reflect::BlobFinder::Found>> blobs(const EventView& event,
                                                                   const Shape& shape);

  /// The id of the event's job, `_probe` for attempts that serve the run, empty for the run.
  std::string_view job(const EventView& event) const;

  /// See TimeText.
  std::string_view time(std::uint64_t time_ns) { return times_.of(time_ns); }

 private:
  Known& schema_of(const EventView& event);
  static void learn(Known& known);

  const RunSource& source_;
  const RunState& run_;
  std::map<std::uint64_t, std::unique_ptr<Known>> known_;  ///< by the schema's hash
  Known* own_;
  Known* last_ = nullptr;
  std::uint64_t last_hash_ = 0;
  TimeText times_;
};

}  // namespace pievt::tools
