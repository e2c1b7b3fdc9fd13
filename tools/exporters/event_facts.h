// What every format asks of an event: its type's name, its payload as JSON, the texts it refers to,
// the id of its job. Events that this program does not know are read with the schema they were
// written with, so a newer store loses nothing here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/run_source.h"
#include "store/format/blob_refs.h"
#include "store/format/reflect.h"

namespace pievt::tools {

class EventFacts {
 public:
  /// Both must live longer. `run` names the jobs.
  EventFacts(const RunSource& source, const RunState& run);

  /// "JobFinished"; "unknown(200)" only where not even the stored schema knows it.
  std::string_view type(const EventView& event);

  /// The payload as one JSON object on one line.
  Result<std::string> payload(const EventView& event);

  /// The texts and bytes the event refers to.
  Result<std::vector<FoundBlob>> blobs(const EventView& event);

  /// The id of the event's job, `_probe` for attempts that serve the run, empty for the run.
  std::string_view job(const EventView& event) const;

  /// RFC 3339 with nanoseconds, in UTC. Good until the next call.
  std::string_view time(std::uint64_t time_ns);

 private:
  struct Shape {
    std::string name;
    const reflect::ObjectType* table = nullptr;
    bool refers_to_blobs = false;
  };
  struct Known {
    std::unique_ptr<reflect::Schema> owned;
    const reflect::Schema* schema = nullptr;
    std::vector<Shape> shapes;  ///< by tag
  };

  const Known& schema_of(const EventView& event);
  static Known know(std::unique_ptr<reflect::Schema> owned, const reflect::Schema& schema);

  const RunSource& source_;
  const RunState& run_;
  std::map<std::uint64_t, Known> known_;
  const Known* own_;
  std::uint64_t second_ = UINT64_MAX;
  std::string time_;
};

}  // namespace pievt::tools
