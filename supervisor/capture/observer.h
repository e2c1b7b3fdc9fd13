// From what pi said to what the log records: one observation of the stream becomes at most one
// event, and to SecretFound before it where its text holds a secret. Text goes to blobs. The same
// bytes give the same events, in the same order, always: a supervisor that takes over reads the
// output again from the start and leaves out as many events as the log already has.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "supervisor/capture/secret_watch.h"
#include "supervisor/pi/stream_events.h"
#include "supervisor/record/run_record.h"

namespace pievt::supervisor {

class Observer {
 public:
  /// `subject`: job and attempt the events are about. `cwd`: the directory the child was told to
  /// work in. `already_recorded`: how many observations of this attempt the log has. `policy`
  /// outlives it.
  Observer(Subject subject, std::string cwd, std::uint64_t already_recorded,
           const secrets::Policy& policy)
      : subject_(subject),
        cwd_(std::move(cwd)),
        skip_(already_recorded),
        secrets_(policy, subject) {}

  /// Proposes the event for it, if there is one.
  Status see(RunRecord& record, const pi::Observation& observation);

 private:
  struct Translate;
  struct Anomalies {
    std::uint64_t seen = 0;
  };

  Subject subject_;
  std::string cwd_;
  std::uint64_t skip_;
  SecretWatch secrets_;
  std::uint32_t turns_ = 0;
  std::uint32_t turn_tools_ = 0;
  std::uint32_t agent_runs_ = 0;
  std::uint32_t calls_ = 0;
  std::unordered_map<std::string, std::uint32_t> call_numbers_;
  std::unordered_map<int, std::uint64_t> anomalies_;
};

/// Whether the event is one that an Observer makes. Counts what the log already has of an attempt.
bool is_observation(const EventView& event);

}  // namespace pievt::supervisor
