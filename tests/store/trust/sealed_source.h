// What tests of sealed runs ask of a run, wherever it lies, and a run that is not quite as its
// store has it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pievt/sealed.h"

namespace pievt {

/// Everything that must be equal of two sources of one run.
struct ToldEvent {
  std::uint64_t sequence, revision, wall_ns, monotonic_ns;
  std::string append, body;
  std::uint32_t index, flags;
  Actor actor;
  friend bool operator==(const ToldEvent&, const ToldEvent&) = default;
};
std::vector<ToldEvent> told(const RunSource& source);

/// All texts that events refer to, by their digests; those that are not there are "(missing)".
std::map<std::string, std::string> texts_of(const RunSource& source);

/// All captured output, one channel after the other.
std::string output_of(const RunSource& source);

/// Another source, of which a test takes something away or changes it.
class ChangedRun : public RunSource {
 public:
  explicit ChangedRun(const RunSource& source) : source_(source) {}

  std::uint64_t hash = 0;         ///< 0: the source's own
  std::vector<std::byte> binary;  ///< what schema(hash) is
  std::string missing_text;       ///< digest of a text that is not there
  Revision fails_at;              ///< reading this event fails

  const std::string& run_id() const override { return source_.run_id(); }
  const std::string& origin() const override { return source_.origin(); }
  Revision head() const override { return source_.head(); }
  Status events(const EventSink& sink) const override;
  Result<std::vector<std::byte>> blob(const schema::BlobRef& ref) const override;
  Result<std::uint64_t> output(const OutputKey& key, const AttemptState& attempt,
                               const ByteSink& sink) const override {
    return source_.output(key, attempt, sink);
  }
  Result<std::uint64_t> schema_hash(const EventView& event) const override {
    if (hash != 0) return hash;
    return source_.schema_hash(event);
  }
  Result<std::vector<std::byte>> schema(std::uint64_t short_hash) const override {
    if (hash != 0 && short_hash == hash) return binary;
    return source_.schema(short_hash);
  }
  Result<Actor> actor(std::uint32_t number) const override { return source_.actor(number); }

 private:
  const RunSource& source_;
};

/// The file's bytes, and a file with these.
std::string slurp(const std::filesystem::path& file);
void spill(const std::filesystem::path& file, std::string_view bytes);

}  // namespace pievt
