#include "tools/verbs/replay_verify.h"

#include <cstring>
#include <map>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/views/run_view.h"

namespace pievt::tools {
namespace {

struct RecordedDigest {
  std::uint64_t by = 0;  ///< the event that says so
  schema::Digest digest;
  std::string identity;
};

// By the revision they are of; the event that says so comes later.
Result<std::multimap<std::uint64_t, RecordedDigest>> recorded_digests(const Log& log,
                                                                      const std::string& run,
                                                                      Revision last) {
  std::multimap<std::uint64_t, RecordedDigest> found;
  auto reader = log.read_stream(run_stream(run), {1}, last);
  while (reader.next()) {
    const auto* said = reader.event().envelope->payload_as_StateDigestRecorded();
    if (said == nullptr || said->digest() == nullptr) continue;
    found.emplace(said->revision(),
                  RecordedDigest{reader.event().revision().value, *said->digest(),
                                 said->identity() == nullptr ? "" : said->identity()->str()});
  }
  PIEVT_TRY(reader.status());
  return found;
}

struct Tally {
  std::uint64_t equal = 0, different = 0, other_version = 0;
};

std::string hex_of(const schema::Digest& digest) {
  return hex(std::as_bytes(std::span(&digest, 1)));
}

Exit answer(const Tally& tally) {
  if (tally.different > 0) return Exit::corrupt;
  return tally.equal > 0 ? Exit::ok : Exit::evidence;
}

}  // namespace

Result<Exit> verify_replay(Context& context, const Log& log, const std::string& run,
                           Revision last) {
  const auto digests = PIEVT_TRY(recorded_digests(log, run, last));
  Tally tally;
  RunState state;
  std::vector<std::string> lines;
  auto reader = log.read_stream(run_stream(run), {1}, last);
  while (reader.next()) {
    apply(state, reader.event());
    const auto [from, to] = digests.equal_range(state.revision);
    for (auto at = from; at != to; ++at) {
      const RecordedDigest& recorded = at->second;
      if (recorded.identity != run_view_identity()) {
        ++tally.other_version;
        lines.push_back(fmt::format("#{}  state of #{}: made by another version ({}), not compared",
                                    recorded.by, state.revision, recorded.identity));
        continue;
      }
      const schema::Digest now = digest_of(state);
      // Bytes: `==` of a generated struct compares where its arrays lie.
      const bool equal = std::memcmp(&now, &recorded.digest, sizeof now) == 0;
      ++(equal ? tally.equal : tally.different);
      lines.push_back(equal ? fmt::format("#{}  state of #{}: equal", recorded.by, state.revision)
                            : fmt::format("#{}  state of #{}: DIFFERS, recorded {} rebuilt {}",
                                          recorded.by, state.revision, hex_of(recorded.digest),
                                          hex_of(now)));
    }
  }
  PIEVT_TRY(reader.status());
  if (state.revision == 0)
    return Error{Errc::not_found, fmt::format("no run {} in this store; see: pievt runs", run)};
  if (context.wants_json()) {
    auto json = context.json();
    json.begin_document("pievt.replay_verify", 1).member("run", run);
    json.member("events", state.revision).member("equal", tally.equal);
    json.member("different", tally.different).member("other_version", tally.other_version);
    json.end_object().end_document();
    return answer(tally);
  }
  for (const std::string& line : lines) context.out.line(line);
  if (digests.empty()) {
    context.out.line(
        "no digest was recorded on the way (imported runs have none): nothing to compare");
  } else {
    context.out.line(fmt::format("{} of {} recorded digests equal", tally.equal, digests.size()));
  }
  return answer(tally);
}

}  // namespace pievt::tools
