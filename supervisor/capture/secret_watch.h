// Secrets in what an attempt says: told of once each, and kept out of the record.
//
// Lines that stand in events themselves are always masked: an event cannot be redacted later.
// Texts in blobs are masked where the settings say so. Raw output is kept byte for byte in either
// case, because it is what the run is judged by; what was found in it is told.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "supervisor/record/run_record.h"
#include "supervisor/secrets/policy.h"

namespace pievt::supervisor {

/// What is told of a secret in `text`, which begins at `offset` of its channel.
schema::SecretFoundT secret_event(const RunRecord& record, std::string_view text,
                                  const secrets::Found& found, schema::SecretPlace place,
                                  std::string_view where, std::uint64_t offset = 0);

class SecretWatch {
 public:
  /// Events of one attempt; a worker that says a thousand secrets fills no log.
  static constexpr std::size_t told_max = 50;

  /// `policy` outlives it.
  SecretWatch(const secrets::Policy& policy, Subject subject)
      : policy_(&policy), subject_(subject) {}

  struct Seen {
    std::string masked;         ///< the text without what was found
    bool found = false;         ///< whether that differs from the text
    std::string_view stored{};  ///< what goes into a blob: the text itself, or `masked`
  };

  /// Looks through a text, and proposes what is to be told of it. `text` outlives the answer.
  /// `offset`: of the text in its channel. Tell no: it was told before.
  enum class Tell : std::uint8_t { yes, no };
  Result<Seen> see(RunRecord& record, std::string_view text, schema::SecretPlace place,
                   std::string_view where, Tell tell, std::uint64_t offset = 0);

  /// The same for a stream that comes in pieces: a secret may lie across two of them.
  Status see_piece(RunRecord& record, std::string_view piece, std::string_view where,
                   std::uint64_t offset);

 private:
  Status tell(RunRecord& record, std::string_view text, const secrets::Found& found,
              schema::SecretPlace place, std::string_view where, std::uint64_t offset);

  const secrets::Policy* policy_;
  Subject subject_;
  std::set<std::pair<schema::SecretPlace, std::size_t>> told_;  ///< by a hash of the secret
  std::string tail_;
};

}  // namespace pievt::supervisor
