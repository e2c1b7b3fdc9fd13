// Everything an attempt says: stdout is understood and stored, stderr is stored, the session file
// is stored at the end.
#pragma once

#include <cstdint>
#include <filesystem>

#include "supervisor/capture/channel.h"
#include "supervisor/capture/observer.h"
#include "supervisor/pi/outcome.h"
#include "supervisor/pi/session_file.h"
#include "supervisor/pi/stream.h"
#include "supervisor/pi/stream_facts.h"

namespace pievt::supervisor {

/// Where an attempt's live files are.
struct OutputPaths {
  std::filesystem::path stdout_file, stderr_file, session_file;
};

/// How much of the session file is in the store already: a supervisor may die between storing it
/// and the verdict.
struct StoredSession {
  std::uint32_t chunks = 0;
  std::uint64_t bytes = 0;
};

class AttemptOutput {
 public:
  /// Follows a new attempt, or one that an earlier supervisor had begun to follow: what the store
  /// has of it is read again, so that the understanding is the same, and nothing is recorded twice.
  static Result<AttemptOutput> open(RunRecord& record, Subject subject, const std::string& cwd,
                                    OutputPaths paths);

  /// Takes in what is new; bounded, so that one chatty child cannot keep the others waiting.
  /// Returns the bytes read.
  Result<std::uint64_t> pump(RunRecord& record, CaptureTools& tools);

  /// How many bytes wait to be taken in.
  std::uint64_t unread() const { return stdout_.unread() + stderr_.unread(); }

  /// After everything was taken in: the stream is over, and the rest moves into the store.
  Status finish(RunRecord& record, CaptureTools& tools);

  /// After a commit.
  Status release_stored();

  const pi::StreamFacts& facts() const { return facts_; }
  const pi::SessionTail& session() const { return session_; }
  std::uint64_t stdout_bytes() const { return stdout_.offset(); }
  std::uint64_t stderr_bytes() const { return stderr_.offset(); }
  std::uint64_t bytes() const { return stdout_bytes() + stderr_bytes(); }
  /// When something came from the child for the last time.
  process::Moment last_activity() const { return last_activity_; }

  Channel& stdout_channel() { return stdout_; }
  const Channel& stdout_channel() const { return stdout_; }
  Channel& stderr_channel() { return stderr_; }

 private:
  AttemptOutput(Subject subject, OutputPaths paths, Channel out, Channel err, Observer observer)
      : subject_(subject),
        paths_(std::move(paths)),
        stdout_(std::move(out)),
        stderr_(std::move(err)),
        observer_(std::move(observer)) {}
  Status understand(RunRecord& record, std::span<const std::byte> bytes);
  Status see(RunRecord& record, pi::Observation&& observation);
  Status store_session(RunRecord& record, CaptureTools& tools);

  Subject subject_;
  OutputPaths paths_;
  Channel stdout_, stderr_;
  Observer observer_;
  pi::Stream stream_;
  pi::StreamFacts facts_;
  pi::SessionTail session_;
  StoredSession session_stored_;
  process::Moment last_activity_ = process::Clock::now();
};

}  // namespace pievt::supervisor
