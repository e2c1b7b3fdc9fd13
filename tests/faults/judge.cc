#include "tests/faults/judge.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pievt/upkeep.h"
#include "pievt/verify.h"
#include "store/views/all.h"
#include "tests/store/log/temp_store.h"

namespace pievt::faults {
namespace {

/// An append as it is found in a log.
struct Found {
  AppendId id;
  Sequence first, last;
  std::map<std::string, std::vector<std::string>> texts;
  std::size_t blobs = 0;
};

Result<std::vector<Found>> read_all(const Log& log) {
  std::vector<Found> all;
  std::map<std::uint32_t, std::uint64_t> revisions;
  std::uint64_t sequence = 0;
  auto reader = log.read({1});
  while (reader.next()) {
    const EventView& event = reader.event();
    if (event.sequence.value != ++sequence) {
      return Error{Errc::corrupt,
                   fmt::format("@{} follows @{}", event.sequence.value, sequence - 1)};
    }
    if (event.revision().value != ++revisions[event.stamp->stream()]) {
      return Error{Errc::corrupt, fmt::format("@{} has a gap in its stream", sequence)};
    }
    const std::string stream = PIEVT_TRY(log.stream_name(event.stamp->stream()));
    if (stream == "store" || stream.starts_with("run/")) continue;
    if (all.empty() || all.back().id != event.id.append) {
      all.push_back({event.id.append, event.sequence, {}, {}, 0});
    }
    Found& found = all.back();
    found.last = event.sequence;
    if (event.type() == schema::Payload::ArtifactRecorded) {
      ++found.blobs;
      PIEVT_TRY(log.get_blob(*event.envelope->payload_as_ArtifactRecorded()->content()));
    } else {
      found.texts[stream].push_back(text_of(event));
    }
  }
  PIEVT_TRY(reader.status());
  if (sequence != log.head().value) {
    return Error{Errc::corrupt,
                 fmt::format("the head is @{}, the last event @{}", log.head().value, sequence)};
  }
  for (const auto& [number, revision] : revisions) {
    const std::string stream = PIEVT_TRY(log.stream_name(number));
    const Revision head = PIEVT_TRY(log.stream_head(stream));
    if (head.value != revision) {
      return Error{Errc::corrupt,
                   fmt::format("{} is at #{}, its head says #{}", stream, revision, head.value)};
    }
  }
  return all;
}

bool is_whole(const Found& found, const Attempt& attempt) {
  std::map<std::string, std::vector<std::string>> wanted;
  for (const auto& [stream, texts] : attempt.streams) wanted[stream] = texts;
  return found.id == attempt.id && found.texts == wanted &&
         found.blobs == (attempt.blob.empty() ? 0u : 1u);
}

std::string compare(const std::vector<Found>& found, std::span<const Attempt> attempts,
                    std::size_t promised) {
  if (found.size() > attempts.size()) {
    return fmt::format("{} appends are visible, {} were attempted", found.size(), attempts.size());
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!is_whole(found[i], attempts[i])) {
      return fmt::format("append {} of {} is not what was attempted", i, found.size());
    }
  }
  if (found.size() >= promised) return "";
  return fmt::format("{} appends were promised, {} are visible", promised, found.size());
}

Judgement verify_all(const Log& log) {
  const auto report = verify(log);
  if (!report.ok()) return failed("verify", report.error());
  if (log.info().missing != 0) return {"verify: events are missing", true};
  // What was removed after it was sealed is listed, and is no finding of any check.
  const bool fine = std::ranges::all_of(
      report->checks, [](const VerifyCheck& check) { return check.findings == 0; });
  if (report->verdict != Verdict::damaged && fine) return {};
  return {fmt::format("verify: {} findings; first: {}: {}", report->findings_total,
                      report->findings.front().check, report->findings.front().what),
          true};
}

std::string compare_views(const Log& log) {
  for (const ViewRow& row : all_views) {
    const auto saved = row.make(), folded = row.make();
    const auto at = catch_up(*saved, log, row.name);
    const auto all = fold_tail(*folded, log, {});
    if (!at.ok() || !all.ok()) return fmt::format("the view {} cannot be folded", row.name);
    if (saved->save() != folded->save()) {
      return fmt::format("the view {} differs from what its events add up to", row.name);
    }
  }
  return "";
}

// Everything that can be asked without writing.
Judgement look(const Log& log, std::span<const Attempt> attempts, std::size_t promised,
               std::vector<Found>& found) {
  // Asked first, because it has to find by itself what is wrong.
  const Judgement verified = verify_all(log);
  auto all = read_all(log);
  if (!all.ok()) {
    // A reader may have been told that something is not there; that is no lie where `verify` says
    // that the store is damaged.
    Judgement seen = failed("reading", all.error());
    seen.detected = seen.detected || verified.detected;
    return seen;
  }
  found = std::move(*all);
  if (std::string wrong = compare(found, attempts, promised); !wrong.empty()) {
    return {std::move(wrong), verified.detected};
  }
  if (!verified.ok()) return verified;
  return {compare_views(log)};
}

std::string retry(Log& log, std::span<const Attempt> attempts, std::span<const Found> found) {
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const auto answer = perform(log, attempts[i], Durability::fsync);
    if (!answer.ok()) return fmt::format("retry of append {}: {}", i, answer.error().what);
    const bool there = i < found.size();
    if (there != (answer->outcome == AppendOutcome::already_there)) {
      return fmt::format("retry of append {}, which is {}there, says it is {}there", i,
                         there ? "" : "not ", there ? "not " : "");
    }
    if (!there) continue;
    const std::optional<Appended>& before = attempts[i].answer;
    const bool moved = before && (before->first != answer->first || before->last != answer->last);
    if (moved || answer->first != found[i].first || answer->last != found[i].last) {
      return fmt::format("retry of append {} has other positions", i);
    }
  }
  return "";
}

Judgement judge_writing(const std::filesystem::path& store, std::span<const Attempt> attempts,
                        const Progress& progress) {
  const OpenMode mode = progress.created ? OpenMode::write : OpenMode::create;
  auto log = Log::open(store, {.mode = mode, .program = "judge"});
  if (!log.ok()) return failed("opening for writing", log.error());
  std::vector<Found> found;
  Judgement seen = look(*log, attempts, progress.acknowledged, found);
  if (!seen.ok()) return within("as writer", std::move(seen));
  if (std::string wrong = retry(*log, attempts, found); !wrong.empty()) return {wrong};
  seen = look(*log, attempts, attempts.size(), found);
  if (!seen.ok()) return within("after the retries", std::move(seen));
  const Status closed = log->close();
  return closed.ok() ? Judgement() : failed("closing", closed.error());
}

}  // namespace

Judgement failed(std::string_view doing, const Error& error) {
  // A store that will not open tells nobody anything, whatever it calls its reason.
  const bool refuses = error.code == Errc::corrupt || doing.starts_with("opening");
  return {fmt::format("{}: {}", doing, error.what), refuses};
}

Judgement within(std::string_view where, Judgement judgement) {
  if (!judgement.ok()) judgement.wrong = fmt::format("{}: {}", where, judgement.wrong);
  return judgement;
}

Judgement judge(const std::filesystem::path& store, std::span<const Attempt> attempts,
                const Progress& progress) {
  attempts = attempts.first(progress.attempted);
  std::vector<Found> found;
  {
    const auto log = Log::open(store);
    if (log.ok()) {
      Judgement seen = look(*log, attempts, progress.acknowledged, found);
      if (!seen.ok()) return within("as reader", std::move(seen));
    } else if (progress.created || log.error().code != Errc::not_found) {
      return failed("opening for reading", log.error());
    }
  }
  if (Judgement seen = judge_writing(store, attempts, progress); !seen.ok()) return seen;
  const auto log = Log::open(store);
  if (!log.ok()) return failed("opening again", log.error());
  return within("opened again", look(*log, attempts, attempts.size(), found));
}

Judgement judge_copy(const std::filesystem::path& copy, std::span<const Attempt> attempts,
                     std::size_t promised) {
  const auto log = Log::open(copy);
  if (!log.ok()) return failed("opening the copy", log.error());
  std::vector<Found> found;
  return look(*log, attempts, promised, found);
}

Judgement judge_backup(const std::filesystem::path& root, std::span<const Attempt> attempts,
                       const Progress& progress) {
  attempts = attempts.first(progress.attempted);
  const std::filesystem::path copy = root / "backup";
  if (const auto log = Log::open(copy); log.ok()) {
    if (Judgement seen = judge_copy(copy, attempts, 0); !seen.ok()) return within("backup", seen);
  } else if (log.error().code != Errc::not_found) {
    return failed("opening the backup", log.error());
  }
  const auto log = Log::open(root / "store");
  if (!log.ok()) return failed("opening to back up", log.error());
  const auto again = backup(*log, copy);
  if (!again.ok()) return failed("backup again", again.error());
  return within("backup, gone on with", judge_copy(copy, attempts, attempts.size()));
}

Judgement judge_restored(const std::filesystem::path& root, std::span<const Attempt> attempts,
                         const Progress& progress) {
  attempts = attempts.first(progress.attempted);
  const std::filesystem::path to = root / "restored";
  // Under its own name it appears when it is whole.
  if (std::filesystem::exists(to / "STORE"))
    return within("restored", judge_copy(to, attempts, attempts.size()));
  const auto again = restore(root / "backup", to);
  if (!again.ok()) return failed("restoring again", again.error());
  return within("restored again", judge_copy(to, attempts, attempts.size()));
}

}  // namespace pievt::faults
