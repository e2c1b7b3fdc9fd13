// The one pass: every page in order, each handed to everybody who has a question about it.
#include "pievt/verify.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/query.h"
#include "store/log/stream_table.h"
#include "store/trust/backup_marker.h"
#include "store/trust/body_checks.h"
#include "store/trust/findings.h"
#include "store/trust/log_checks.h"
#include "store/trust/read_ahead.h"
#include "store/trust/salvaged_note.h"
#include "store/trust/view_checks.h"

namespace pievt {
namespace {

class Verification {
 public:
  Verification(const Log& log, const VerifyOptions& options)
      : log_(log),
        impl_(log.impl()),
        options_(options),
        stream_(options.run.empty() ? "" : run_stream(options.run)),
        head_(log.head().value),
        pages_(impl_, findings_),
        bodies_(impl_, findings_),
        views_(log, findings_) {}

  VerifyReport run() {
    views_.begin(options_.run);
    findings_.examined(Check::storage);
    if (const Status files = impl_.rocks().verify_files(); !files.ok()) {
      findings_.damaged(Check::storage, {}, files.error().what);
    }
    if (const Status& key = impl_.blobs().key_state(); !key.ok()) {
      findings_.damaged(Check::bodies, {}, key.error().what);
      findings_.beyond_rebuild();
    }
    walk();
    pages_.finish(head_);
    if (pages_.complete()) views_.finish();
    check_promise();
    check_backup();

    const Remedy remedy = findings_.remedy();
    VerifyReport report = std::move(findings_).take();
    report.remedy = remedy;
    tell_of_damage_before(report);
    report.head = {head_};
    if (pages_.chain()) report.chain = hex(*pages_.chain());
    return report;
  }

 private:
  void walk() {
    ReadAhead reading(impl_, head_, stream_number());
    for (auto pages = reading.next(); !pages.empty(); pages = reading.next()) {
      bodies_.trust(reading.whole());
      for (const ReadPage& page : pages) {
        one(page);
        if (options_.progress) options_.progress(pages_.last(), head_);
      }
    }
    if (const Status status = reading.status(); !status.ok()) {
      findings_.damaged(Check::pages, {.page = {}, .sequence = {pages_.last() + 1}},
                        status.error().what);
    }
  }

  // 0: bodies of all streams are read. What the index says only helps to read what is needed.
  std::uint32_t stream_number() const {
    if (stream_.empty()) return 0;
    const auto found = find_stream(impl_.rocks(), stream_);
    return found.ok() && *found ? (*found)->number : 0;
  }

  void one(const ReadPage& read) {
    const StoredPage& page = read.page;
    if (!read.status.ok()) return pages_.unreadable(read.key, read.status.error());
    if (page.view().is_lost()) return pages_.lost(page, read.key);
    pages_.page(page, read.key, read.events);
    for (const EventView& event : read.events) {
      const std::string& name = pages_.stream_name(event.stamp->stream());
      if (stream_.empty() || name == stream_) {
        bodies_.event(event, {page.last()}, pages_.schema(), name);
      }
      // What follows a hole cannot add up; the hole has been reported.
      if (pages_.complete()) views_.event(event);
    }
  }

  void check_promise() {
    findings_.examined(Check::promise);
    const std::uint64_t missing = log_.info().missing;
    if (missing == 0) return;
    findings_.damaged(Check::promise, {.page = {}, .sequence = {head_ + 1}},
                      fmt::format("{} events were acknowledged since this machine started, and the "
                                  "log ends before them",
                                  missing));
  }

  // Every event of it is there and right, and it is not all that was to be copied.
  void check_backup() {
    const auto goal = unfinished_backup(impl_.place.directory, {head_});
    if (!goal) return;
    findings_.known(Check::promise, {.page = {}, .sequence = {head_ + 1}},
                    fmt::format("this backup ends with @{} and should have gone to @{}: it was cut "
                                "off, or is being made; pievt backup goes on with it",
                                head_, goal->value));
  }

  // Of what is missing, nothing else tells that it was not redacted.
  void tell_of_damage_before(VerifyReport& report) const {
    const bool missing = std::ranges::any_of(report.findings, [](const Finding& finding) {
      return finding.check == "bodies" || finding.check == "output";
    });
    const std::uint64_t lost = missing ? texts_lost_to_damage(impl_.place.directory) : 0;
    if (lost == 0) return;
    ++report.findings_total;
    report.findings.insert(
        report.findings.begin(),
        {.check = "bodies",
         .severity = Severity::missing,
         .what = fmt::format("{} texts or chunks of output were lost to damage before this store "
                             "was saved from it; the file {} in it names them and their runs",
                             lost, salvaged_file),
         .page = {},
         .sequence = {},
         .stream = {},
         .revision = {}});
    if (report.findings.size() > findings_listed_max) report.findings.pop_back();
  }

  const Log& log_;
  const Log::Impl& impl_;
  const VerifyOptions& options_;
  std::string stream_;
  std::uint64_t head_;
  Findings findings_;
  LogChecks pages_;
  BodyChecks bodies_;
  ViewChecks views_;
};

}  // namespace

Result<VerifyReport> verify(const Log& log, const VerifyOptions& options) {
  if (!options.run.empty() && PIEVT_TRY(log.stream_head(run_stream(options.run))).value == 0) {
    return Error{Errc::not_found, fmt::format("no run {} in this store", options.run)};
  }
  return Verification(log, options).run();
}

}  // namespace pievt
