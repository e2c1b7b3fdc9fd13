#include "store/trust/findings.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include <fmt/format.h>

namespace pievt {
namespace {

struct CheckRow {
  Check check;
  const char* name;
  const char* question;
  bool derived = false;  ///< what it looks at can be made again from the events
};

constexpr std::array<CheckRow, check_count> rows = {{
    {Check::storage, "storage", "every block of every file of the log has its checksum", true},
    {Check::pages, "pages", "pages are whole and follow each other without a gap"},
    {Check::chain, "chain", "commits and bodies are what the hash chain says"},
    {Check::events, "events", "events fit the schema they were written with"},
    {Check::revisions, "revisions", "revisions of every stream are without a gap"},
    {Check::causes, "causes", "events name causes that came before them"},
    {Check::streams, "streams", "streams have the names they were declared with", true},
    {Check::appends, "appends", "appends are found by their ids, each once", true},
    {Check::index, "index", "the index of streams says where events are", true},
    {Check::schemas, "schemas", "schemas are stored and are what pages name", true},
    {Check::bodies, "bodies", "texts that events refer to are there and unchanged"},
    {Check::output, "output", "captured output unpacks to the bytes that were captured"},
    {Check::views, "views", "saved states equal what the events add up to", true},
    {Check::promise, "promise", "nothing that was acknowledged is missing"},
}};

constexpr bool rows_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].check) != i) return false;
  }
  return true;
}
static_assert(rows_in_order());

// "2 texts and 1 chunk of output"
std::string amounts(std::uint64_t texts, std::uint64_t chunks) {
  const std::string some_texts = fmt::format("{} text{}", texts, texts == 1 ? "" : "s");
  const std::string output = fmt::format("{} chunk{} of output", chunks, chunks == 1 ? "" : "s");
  if (texts == 0 || chunks == 0) return texts == 0 ? output : some_texts;
  return fmt::format("{} and {}", some_texts, output);
}

}  // namespace

void Findings::report(Check check, Severity severity, Place place, std::string what) {
  const auto index = static_cast<std::size_t>(check);
  ++counts_[index].findings;
  if (severity == Severity::damaged) ++counts_[index].damaged;
  ++report_.findings_total;
  const Verdict verdict = severity == Severity::damaged ? Verdict::damaged : Verdict::incomplete;
  report_.verdict = std::max(report_.verdict, verdict);
  if (report_.findings.size() >= findings_listed_max) return;
  report_.findings.push_back({rows[index].name, severity, std::move(what), place.page,
                              place.sequence, std::move(place.stream), place.revision});
}

void Findings::known(Check check, Place place, std::string what) {
  ++report_.findings_total;
  report_.verdict = std::max(report_.verdict, Verdict::incomplete);
  if (report_.findings.size() >= findings_listed_max) return;
  report_.findings.push_back({rows[static_cast<std::size_t>(check)].name, Severity::missing,
                              std::move(what), place.page, place.sequence, std::move(place.stream),
                              place.revision});
}

Remedy Findings::remedy() const {
  Remedy remedy = Remedy::none;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (counts_[i].damaged == 0) continue;
    const bool made_again = rows[i].derived && !beyond_rebuild_;
    remedy = std::max(remedy, made_again ? Remedy::rebuild : Remedy::salvage);
  }
  return remedy;
}

void Findings::absent(Check check, std::string_view run, Place place, std::string what) {
  const AbsentKind kind = check == Check::output ? AbsentKind::output : AbsentKind::text;
  const Revision revision = place.revision;
  const char* name = rows[static_cast<std::size_t>(check)].name;
  absences_.add(run, revision, kind,
                {report_.findings.size(), check,
                 Finding{name, Severity::missing, std::move(what), place.page, place.sequence,
                         std::move(place.stream), revision}});
}

void Findings::sealed(std::string_view stream, const EventView& event,
                      const std::filesystem::path& store) {
  removals_.see(stream, event);
  store_ = store;
}

void Findings::settle_absences() {
  std::vector<Absent> lost;
  std::vector<Finding> removed;
  for (const std::string& run : absences_.runs()) {
    const RemovedRun* sealed = removals_.find(run);
    auto outcome = absences_.outcome(run, sealed);
    const std::uint64_t texts = outcome.removed[0], chunks = outcome.removed[1];
    counts_[static_cast<std::size_t>(Check::bodies)].findings += outcome.lost[0];
    counts_[static_cast<std::size_t>(Check::output)].findings += outcome.lost[1];
    report_.findings_total += outcome.lost[0] + outcome.lost[1];
    report_.verdict = std::max(report_.verdict, Verdict::incomplete);
    lost.insert(lost.end(), std::move_iterator(outcome.things.begin()),
                std::move_iterator(outcome.things.end()));
    if (texts + chunks == 0) continue;
    ++report_.findings_total;
    removed.push_back({texts > 0 ? "bodies" : "output",
                       Severity::missing,
                       fmt::format("{} were {}", amounts(texts, chunks), sealed->sentence(store_)),
                       {},
                       {},
                       "run/" + run,
                       {}});
  }
  // Each where it was met, so that the list keeps the order of the log.
  std::ranges::stable_sort(lost, [](const Absent& one, const Absent& other) {
    return std::tie(one.before, one.finding.sequence) <
           std::tie(other.before, other.finding.sequence);
  });
  std::vector<Finding> all;
  std::size_t at = 0;
  for (Absent& absent : lost) {
    while (at < absent.before) all.push_back(std::move(report_.findings[at++]));
    all.push_back(std::move(absent.finding));
  }
  while (at < report_.findings.size()) all.push_back(std::move(report_.findings[at++]));
  if (all.size() > findings_listed_max) all.resize(findings_listed_max);
  all.insert(all.end(), std::move_iterator(removed.begin()), std::move_iterator(removed.end()));
  report_.findings = std::move(all);
}

VerifyReport Findings::take() && {
  settle_absences();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    report_.checks.push_back(
        {rows[i].name, rows[i].question, counts_[i].examined, counts_[i].findings});
  }
  return std::move(report_);
}

}  // namespace pievt
