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
  /// How much of the session file was there before pi was: an earlier attempt's, whose last word is
  /// none of this one's.
  std::uint64_t session_before = 0;
};

/// How much of the session file is in the store already: a supervisor may die between storing it
/// and the verdict.
struct StoredSession {
  std::uint32_t chunks = 0;
  std::uint64_t bytes = 0;
};

/// What a child is busy with. `streaming`: parts of a message have come, and not yet its end.
schema::Activity activity_of(const pi::StreamFacts& facts, bool streaming);

class AttemptOutput {
 public:
  /// Follows a new attempt, or one that an earlier supervisor had begun to follow: what the store
  /// has of it is read again, so that the understanding is the same, and nothing is recorded twice.
  /// `policy` outlives it.
  static Result<AttemptOutput> open(RunRecord& record, Subject subject, const std::string& cwd,
                                    OutputPaths paths, const secrets::Policy& policy);

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
  /// What the child is busy with, as far as it said.
  schema::Activity activity() const { return activity_of(facts_, streaming_); }
  /// pi has announced that it waits or makes room by itself.
  bool is_announced() const { return facts_.retry_pending || facts_.compaction_open.has_value(); }
  /// When something came from the child for the last time.
  process::Moment last_activity() const { return last_activity_; }

  Channel& stdout_channel() { return stdout_; }
  const Channel& stdout_channel() const { return stdout_; }
  Channel& stderr_channel() { return stderr_; }

 private:
  AttemptOutput(Subject subject, OutputPaths paths, Channel out, Channel err, Observer observer,
                SecretWatch stderr_secrets)
      : subject_(subject),
        paths_(std::move(paths)),
        stdout_(std::move(out)),
        stderr_(std::move(err)),
        observer_(std::move(observer)),
        stderr_secrets_(std::move(stderr_secrets)) {}
  Status understand(RunRecord& record, std::span<const std::byte> bytes);
  Status see(RunRecord& record, pi::Observation&& observation);
  Status store_session(RunRecord& record, CaptureTools& tools);

  Subject subject_;
  OutputPaths paths_;
  Channel stdout_, stderr_;
  Observer observer_;
  SecretWatch stderr_secrets_;
  pi::Stream stream_;
  pi::StreamFacts facts_;
  pi::SessionTail session_;
  StoredSession session_stored_;
  bool streaming_ = false;  ///< parts of a message have come, and not yet its end
  process::Moment last_activity_ = process::Clock::now();
};

}  // namespace pievt::supervisor
