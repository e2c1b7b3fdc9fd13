// `pievt writes [RUN[/JOB]]`: who wrote which path, as walking the trees showed, or, where nobody
// walked them, as tool calls say.
#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "pievt/query.h"
#include "supervisor/pi/worker_report.h"
#include "tools/audit/build.h"
#include "tools/render/listing.h"
#include "tools/verbs/access.h"

namespace pievt::tools::verbs {
namespace {

using render::Fact;

constexpr std::array options_of_writes = {
    argument("ref", "which run, or which job of it; the last run when left out")
        .shown_as("RUN[/JOB[/ATTEMPT]]")
        .completing(Complete::jobs),
    flag("--outside",
         "only what lies where it must not: outside the zone or the repository, "
         "forbidden, or where git takes its orders from"),
    flag("--unclaimed", "only what no tool call and no report names"),
};

constexpr Manual manual_of_writes = {
    .details =
        "The tree is walked before and after each attempt, without git, ignored files included; "
        "this lists what was different. ZONE is what the job's contract says of the path. WHO "
        "says how it is known:\n\n"
        "  own tree          the attempt had a worktree of its own\n"
        "  tool              a write or edit call of the attempt names the path\n"
        "  process           the kernel saw a process of the attempt write it\n"
        "  only one running  no other attempt of the run worked there\n"
        "  one of            several did; the list is in the record\n"
        "  nobody of ours    it changed while none ran\n\n"
        "CLAIMED is `call` where a tool call names the path, `report` where the worker's report "
        "does, else `no`. What is written outside of the walked tree is known from calls alone. So "
        "is everything of a run whose trees nobody walked, as an imported one: its paths are those "
        "that write and edit calls name, and (WHO is `shell`) those that a shell command names "
        "behind > or tee, which nobody saw being written.",
    .options = options_of_writes,
    .examples = {{{"pievt writes last --outside", "what landed where it must not"},
                  {"pievt writes last/intro -o json", "one job's writes, for programs"}}},
    .outputs = Outputs::everything,
};

render::ListingShape writes_shape() {
  using render::Align;
  using render::Narrow;
  constexpr auto hidden = render::ListingColumn::Shown::on_request;
  return {"pievt.writes",
          1,
          {{"job", {.title = "JOB", .importance = 8}},
           {"attempt", {.title = "TRY", .align = Align::right, .importance = 5}},
           {"change", {.title = "CHANGE", .importance = 7}},
           {"path", {.title = "PATH", .narrow = Narrow::shrink, .width_min = 12, .importance = 10}},
           {"zone", {.title = "ZONE", .importance = 6}},
           {"attribution", {.title = "WHO", .importance = 9}},
           {"claimed", {.title = "CLAIMED", .narrow = Narrow::drop, .importance = 4}},
           {"candidates", {.title = "CANDIDATES", .narrow = Narrow::drop, .importance = 3}},
           {"root", {.title = "ROOT"}, hidden},
           {"size_before", {.title = "BEFORE", .align = Align::right}, hidden},
           {"size_after", {.title = "AFTER", .align = Align::right}, hidden},
           {"revision", {.title = "EVENT", .align = Align::right}, hidden},
           {"evidence", {.title = "EVIDENCE"}, hidden},
           {"detail", {.title = "DETAIL"}, hidden}}};
}

std::string words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

// What the reports of a run say was delivered, by job.
Result<std::set<std::pair<std::uint32_t, std::string>>> reported(const Log& log,
                                                                 const RunState& run, Revision at) {
  std::set<std::pair<std::uint32_t, std::string>> paths;
  auto reader = log.read_stream(run_stream(run.run_id), {1}, at);
  while (reader.next()) {
    const auto* report = reader.event().envelope->payload_as_ReportSubmitted();
    const std::uint32_t number = reader.event().head().job();
    const JobState* job = find_job(run, number);
    if (report == nullptr || report->report() == nullptr || job == nullptr) continue;
    const auto bytes = log.get_blob(*report->report());
    if (!bytes.ok() && bytes.error().code == Errc::not_found) continue;  // redacted
    if (!bytes.ok()) return bytes.error();
    const auto read = pi::read_worker_report(text_of(*bytes), job->id);
    if (!read.ok()) continue;
    for (const auto& item : read->deliverables)
      paths.emplace(number, std::filesystem::path(item.path).lexically_normal().string());
  }
  PIEVT_TRY(Status(reader.status()));
  return paths;
}

struct Wanted {
  std::optional<std::uint32_t> job, attempt;
  bool outside = false, unclaimed = false;
};

class Rows {
 public:
  Rows(render::Listing& listing, const RunState& run, const Wanted& wanted,
       std::set<std::pair<std::uint32_t, std::string>> claimed)
      : listing_(listing), run_(run), wanted_(wanted), claimed_(std::move(claimed)) {}

  void take(const EventView& event) {
    const auto* seen = event.envelope->payload_as_WritesObserved();
    const schema::Head& head = event.head();
    walked_ = walked_ || seen != nullptr;
    if (seen == nullptr || !is_wanted(head.job(), head.attempt())) return;
    if (seen->writes() != nullptr)
      for (const schema::Write* write : *seen->writes()) write_row(event, *seen, *write);
    if (seen->commits() != nullptr && !wanted_.outside && !wanted_.unclaimed)
      for (const auto* commit : *seen->commits()) commit_row(event, *seen, commit->str());
    omitted_ += seen->omitted();
  }

  // What calls name, in a run whose trees nobody walked.
  void take(const audit::WriteRow& write) {
    const bool outside = !audit::is_harmless(write);
    const bool shell = write.attribution == "shell";
    const bool reported = claimed_.contains({write.job, write.path});
    const std::string claimed = !shell ? "call" : reported ? "report" : "no";
    if (!is_wanted(write.job, write.attempt) || (wanted_.outside && !outside) ||
        (wanted_.unclaimed && claimed != "no"))
      return;
    const JobState* job = find_job(run_, write.job);
    std::string evidence;
    for (const std::uint64_t revision : write.events)
      evidence += fmt::format("{}#{}", evidence.empty() ? "" : " ", revision);
    listing_.row(
        {job == nullptr ? Fact::unknown("-") : Fact::text(job->id), Fact::count(write.attempt),
         Fact::text(write.change), Fact::text(write.path), zone(write.zone, outside),
         Fact::text(words(write.attribution)), Fact::text(claimed), Fact::text(""),
         Fact::text(job == nullptr || job->declared == nullptr ? run_.cwd : job->declared->cwd),
         Fact::unknown("-"), Fact::unknown("-"),
         write.events.empty() ? Fact::unknown("-") : Fact::count(write.events.front()),
         Fact::text(evidence), Fact::text(write.detail)});
  }

  std::uint64_t omitted() const { return omitted_; }
  bool walked() const { return walked_; }

 private:
  bool is_wanted(std::uint32_t job, std::uint32_t attempt) const {
    return (!wanted_.job || job == *wanted_.job) &&
           (!wanted_.attempt || attempt == *wanted_.attempt);
  }
  static Fact zone(std::string name, bool outside) {
    return Fact::text(words(std::move(name)), outside ? render::Style::bad : render::Style::plain);
  }

  Fact job(const schema::Head& head) const {
    const JobState* job = find_job(run_, head.job());
    return job == nullptr ? Fact::unknown("-") : Fact::text(job->id);
  }
  static Fact attempt(const schema::Head& head) {
    return head.attempt() == 0 ? Fact::unknown("-") : Fact::count(head.attempt());
  }

  std::string claim(const schema::Head& head, const schema::WritesObserved& seen,
                    const schema::Write& write) const {
    if (write.evidence() != nullptr && write.evidence()->size() > 0) return "call";
    const JobState* found = find_job(run_, head.job());
    const std::filesystem::path cwd =
        found == nullptr || found->declared == nullptr ? run_.cwd : found->declared->cwd;
    const std::filesystem::path whole =
        std::filesystem::path(text_of(seen.root())) / write.path()->str();
    for (const std::string& name :
         {write.path()->str(), whole.string(), whole.lexically_relative(cwd).string()})
      if (claimed_.contains({head.job(), name})) return "report";
    return "no";
  }

  void write_row(const EventView& event, const schema::WritesObserved& seen,
                 const schema::Write& write) {
    const schema::Head& head = event.head();
    const bool outside = write.zone() >= schema::WriteZone::outside;
    const std::string claimed = claim(head, seen, write);
    if ((wanted_.outside && !outside) || (wanted_.unclaimed && claimed != "no")) return;
    std::string candidates, evidence;
    if (write.candidates() != nullptr)
      for (const auto* one : *write.candidates())
        candidates += (candidates.empty() ? "" : ", ") + one->str();
    if (write.evidence() != nullptr)
      for (const std::uint64_t revision : *write.evidence())
        evidence += fmt::format("{}#{}", evidence.empty() ? "" : " ", revision);
    const auto change = write.change() == schema::WriteChange::unknown
                            ? std::string("written")
                            : words(schema::EnumNameWriteChange(write.change()));
    listing_.row({job(head), attempt(head), Fact::text(change), Fact::text(write.path()->str()),
                  zone(schema::EnumNameWriteZone(write.zone()), outside),
                  Fact::text(words(schema::EnumNameAttribution(write.attribution()))),
                  Fact::text(claimed), Fact::text(candidates), Fact::text(text_of(seen.root())),
                  Fact::bytes(write.size_before()), Fact::bytes(write.size_after()),
                  Fact::count(event.revision().value), Fact::text(evidence),
                  Fact::text(text_of(write.detail()))});
  }

  void commit_row(const EventView& event, const schema::WritesObserved& seen,
                  const std::string& commit) {
    listing_.row({job(event.head()), attempt(event.head()), Fact::text("commit"),
                  Fact::text(commit), Fact::unknown("-"), Fact::unknown("-"), Fact::unknown("-"),
                  Fact::text(""), Fact::text(text_of(seen.root())), Fact::unknown("-"),
                  Fact::unknown("-"), Fact::count(event.revision().value), Fact::text(""),
                  Fact::text("")});
  }

  render::Listing& listing_;
  const RunState& run_;
  const Wanted& wanted_;
  std::set<std::pair<std::uint32_t, std::string>> claimed_;
  std::uint64_t omitted_ = 0;
  bool walked_ = false;
};

}  // namespace

const Manual& writes_manual() {
  return manual_of_writes;
}

Result<Exit> writes(Context& context) {
  const Log log = PIEVT_TRY(open_to_read(context));
  const Reference ref =
      PIEVT_TRY(resolve(context, log, context.arguments.text("ref").value_or("last")));
  const Revision at = PIEVT_TRY(moment(context, log, ref.run));
  const RunState run = PIEVT_TRY(load_run(log, ref.run, at));
  const Wanted wanted{ref.job, ref.attempt, context.arguments.has("--outside"),
                      context.arguments.has("--unclaimed")};
  render::Listing listing = PIEVT_TRY(
      render::Listing::create(context.out, context.terminal, listing_format(context.globals.output),
                              writes_shape(), context.globals.fields));
  say_scope(context, log, ref.run, at);
  context.pager.begin();
  Rows rows(listing, run, wanted, PIEVT_TRY(reported(log, run, at)));
  auto reader = log.read_stream(run_stream(ref.run), {1}, at);
  while (reader.next() && !context.out.done()) rows.take(reader.event());
  PIEVT_TRY(Status(reader.status()));
  if (!rows.walked()) {
    const audit::Material material = PIEVT_TRY(audit::gather(log, ref.run, at));
    audit::RunReport report;
    audit::add_writes(report, material);
    for (const audit::WriteRow& write : report.writes) rows.take(write);
    if (!run.jobs.empty())
      context.talk.say(
          "nobody walked the trees of this run: these are the paths that tool calls "
          "name; what else a shell wrote was not observed");
  }
  listing.finish(rows.walked() ? "nothing changed that was seen" : "no tool call names a path");
  if (rows.omitted() > 0)
    context.talk.warn(fmt::format("{} more changes were too many to list", rows.omitted()));
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
