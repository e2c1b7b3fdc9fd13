// Where a run's events become durable, and what time it is: all that a RunRecord needs of the
// world. The supervisor's is the store and the kernel's clocks (journal.cc); a simulation has one
// in memory, and so walks through the same decisions a million times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/log.h"

namespace pievt::supervisor {

class Journal {
 public:
  virtual ~Journal() = default;

  /// Makes `events` durable behind revision `after` of the run's stream, all or none.
  virtual Status append(const std::string& run, Revision after, std::vector<NewEvent> events) = 0;

  /// Stores a text, durable with the next append.
  virtual Result<schema::BlobRef> put_text(std::string_view text, schema::BlobKind kind) = 0;

  /// By which equal texts are told within this store; see Log::keyed_digest.
  virtual schema::Digest keyed_digest(std::string_view text) const = 0;

  /// Nanoseconds since 1970, and since the machine started.
  virtual std::uint64_t wall_ns() const = 0;
  virtual std::uint64_t boot_ns() const = 0;
};

/// The store's.
class LogJournal : public Journal {
 public:
  explicit LogJournal(Log& log) : log_(&log) {}
  Status append(const std::string& run, Revision after, std::vector<NewEvent> events) override;
  Result<schema::BlobRef> put_text(std::string_view text, schema::BlobKind kind) override;
  schema::Digest keyed_digest(std::string_view text) const override;
  std::uint64_t wall_ns() const override;
  std::uint64_t boot_ns() const override;

 private:
  Log* log_;
};

}  // namespace pievt::supervisor
