// The one pass: every page in order, each handed to everybody who has a question about it.
#include "pievt/verify.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/query.h"
#include "store/format/keys.h"
#include "store/log/stored_page.h"
#include "store/trust/body_checks.h"
#include "store/trust/findings.h"
#include "store/trust/log_checks.h"
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
    walk();
    pages_.finish(head_);
    if (pages_.complete()) views_.finish();
    check_promise();

    VerifyReport report = std::move(findings_).take();
    report.head = {head_};
    if (pages_.chain()) report.chain = hex(*pages_.chain());
    return report;
  }

 private:
  void walk() {
    auto cursor = impl_.rocks().cursor(Family::log, Rocks::Fill::scan);
    for (cursor.seek(""); cursor.valid() && pages_.last() < head_; cursor.next()) {
      const std::uint64_t key = format::get_u64(cursor.key()).value_or(0);
      // Beside a living writer: written, but not promised to be on the disk yet.
      if (key > head_) break;
      one(key, cursor.value());
      if (options_.progress) options_.progress(pages_.last(), head_);
    }
    if (const Status status = cursor.status(); !status.ok()) {
      findings_.damaged(Check::pages, {.page = {}, .sequence = {pages_.last() + 1}},
                        status.error().what);
    }
  }

  void one(std::uint64_t key, std::string_view value) {
    events_.clear();
    StoredPage page;
    Status status = page.load(value, impl_.place.identity.short_id());
    if (status.ok()) status = format::collect_events(page.view(), std::nullopt, events_);
    if (!status.ok()) return pages_.unreadable(key, status.error());
    if (page.view().is_lost()) return pages_.lost(page, key);
    pages_.page(page, key, events_);
    for (const EventView& event : events_) {
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

  const Log& log_;
  const Log::Impl& impl_;
  const VerifyOptions& options_;
  std::string stream_;
  std::uint64_t head_;
  Findings findings_;
  LogChecks pages_;
  BodyChecks bodies_;
  ViewChecks views_;
  std::vector<EventView> events_;
};

}  // namespace

Result<VerifyReport> verify(const Log& log, const VerifyOptions& options) {
  if (!options.run.empty() && PIEVT_TRY(log.stream_head(run_stream(options.run))).value == 0) {
    return Error{Errc::not_found, fmt::format("no run {} in this store", options.run)};
  }
  return Verification(log, options).run();
}

}  // namespace pievt
