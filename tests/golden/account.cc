// See account.h.
#include "tests/golden/account.h"

#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "pievt/output.h"
#include "pievt/query.h"
#include "pievt/verify.h"
#include "store/format/blob_refs.h"
#include "store/format/reflect_json.h"
#include "store/log/log_impl.h"
#include "store/log/stored_page.h"

namespace pievt::golden {
namespace {

constexpr reflect::JsonStyle brief{.defaults = reflect::Defaults::hidden};

using SchemaOf = std::function<Result<const reflect::Schema*>(const EventView&)>;

Result<std::string> event_line(const Log& log, const EventView& event,
                               const reflect::Schema& schema) {
  const std::string body = PIEVT_TRY(reflect::to_json(schema, event.body, brief));
  const std::string stream = PIEVT_TRY(log.stream_name(event.stamp->stream()));
  return fmt::format(
      R"({{"sequence":{},"stream":"{}","revision":{},"id":"{}/{}","actor":{},"wall_ns":"{}",)"
      R"("monotonic_ns":"{}","body":{}}})"
      "\n",
      event.sequence.value, stream, event.revision().value, to_string(event.id.append),
      event.id.index, event.stamp->actor(), event.stamp->wall_ns(), event.stamp->monotonic_ns(),
      body);
}

Result<std::string> all_events(const Log& log, const SchemaOf& schema_of) {
  std::string text;
  auto reader = log.read({1});
  while (reader.next()) {
    const reflect::Schema* schema = PIEVT_TRY(schema_of(reader.event()));
    text += PIEVT_TRY(event_line(log, reader.event(), *schema));
  }
  PIEVT_TRY(reader.status());
  return text;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<int>(byte));
  return text;
}

Result<std::string> verify_facts(const Log& log) {
  const VerifyReport report = PIEVT_TRY(verify(log));
  std::string text = fmt::format("verdict {}\nhead {}\nchain {}\n",
                                 static_cast<int>(report.verdict), report.head.value, report.chain);
  for (const Finding& finding : report.findings) text += "finding " + finding.what + "\n";
  return text;
}

Result<std::string> stream_facts(const Log& log) {
  std::string text;
  for (const std::string& name : PIEVT_TRY(log.streams())) {
    const Revision head = PIEVT_TRY(log.stream_head(name));
    text += fmt::format("stream {} #{}\n", name, head.value);
  }
  return text;
}

// Chunks of output are told as output: alone they say nothing.
Result<std::string> blob_facts(const Log& log) {
  std::string text;
  auto reader = log.read({1});
  while (reader.next()) {
    const EventView& event = reader.event();
    const auto blobs = PIEVT_TRY(blobs_of(reflect::Schema::embedded_events(), event.body));
    for (const FoundBlob& blob : blobs) {
      if (blob.ref.kind() == schema::BlobKind::output_chunk) continue;
      const auto content = PIEVT_TRY(log.get_blob(blob.ref));
      text += fmt::format("body @{} {} {} bytes sha256 {}\n", event.sequence.value, blob.field,
                          content.size(), hex(sha256(content)));
    }
  }
  PIEVT_TRY(reader.status());
  return text;
}

Result<std::string> output_facts(const Log& log, const RunState& run) {
  std::string text;
  for (const auto& job : run.jobs) {
    for (const auto& attempt : job->attempts) {
      std::string said;
      const OutputKey key{run.run_id, job->number, attempt->number, schema::OutputChannel::stdout};
      const auto bytes = PIEVT_TRY(read_output(log, key, *attempt, [&](auto piece) {
        said.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        return Status();
      }));
      text += fmt::format("output {} {}/{} {} bytes sha256 {}\n", run.run_id, job->id,
                          attempt->number, bytes, hex(sha256(std::as_bytes(std::span(said)))));
    }
  }
  return text;
}

Result<std::string> run_facts(const Log& log) {
  std::string text;
  const RunList runs = PIEVT_TRY(load_runs(log));
  for (const auto& summary : runs.runs) {
    text += fmt::format("run {} \"{}\" {} of {} jobs succeeded, {} failed, {} attempts, #{}\n",
                        summary->run_id, summary->name, summary->succeeded, summary->jobs,
                        summary->failed, summary->attempts, summary->revision);
    const RunState run = PIEVT_TRY(load_run(log, summary->run_id));
    for (const auto& job : run.jobs) {
      text += fmt::format("job {} {} status {} failure {}\n", run.run_id, job->id,
                          schema::EnumNameJobStatus(job->status),
                          schema::EnumNameFailureKind(job->failure));
    }
    text += PIEVT_TRY(output_facts(log, run));
  }
  return text;
}

}  // namespace

Result<std::string> events_text(const Log& log) {
  return all_events(log, [](const EventView&) -> Result<const reflect::Schema*> {
    return &reflect::Schema::embedded_events();
  });
}

Result<std::string> events_text_by_stored_schema(const Log& log) {
  std::map<std::uint64_t, reflect::Schema> schemas;
  return all_events(log, [&](const EventView& event) -> Result<const reflect::Schema*> {
    const StoredPage page = PIEVT_TRY(load_page(log.impl().rocks(), event.sequence));
    const std::uint64_t name = page.view().header->schema;
    const auto known = schemas.find(name);
    if (known != schemas.end()) return &known->second;
    const auto bfbs = PIEVT_TRY(log.stored_schema(name));
    reflect::Schema schema = PIEVT_TRY(reflect::Schema::load(bfbs));
    return &schemas.emplace(name, std::move(schema)).first->second;
  });
}

Result<std::string> facts_text(const Log& log) {
  std::string text;
  for (const auto& facts : {verify_facts, stream_facts, blob_facts, run_facts}) {
    text += PIEVT_TRY(facts(log));
  }
  return text;
}

}  // namespace pievt::golden
