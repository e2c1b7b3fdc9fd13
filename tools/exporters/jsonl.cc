// The lines of a jsonl export: header, captured output, then each event behind the actor and the
// texts it refers to, and the manifest. What an event refers to comes first, so that an importer
// stores a text before the event that makes it durable, in one pass and in little memory.
//
// A line is put together by hand: half a million events a second leave two microseconds for each.
#include "tools/exporters/jsonl.h"

#include <iterator>
#include <set>
#include <unordered_set>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/format/zstd_codec.h"
#include "tools/exporters/base64.h"
#include "tools/exporters/event_facts.h"
#include "tools/exporters/outputs.h"
#include "tools/render/utf8.h"

namespace pievt::tools {
namespace {

constexpr int output_compression_level = 3;

// Whether JSON can carry the text so that it comes back byte for byte.
bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const render::Decoded decoded = render::decode_utf8(text, at);
    if (!decoded.valid) return false;
    at += decoded.size;
  }
  return true;
}

void number(std::string& line, std::string_view name, std::uint64_t value) {
  line += name;
  const fmt::format_int digits(value);
  line.append(digits.data(), digits.size());
}

class Jsonl final : public Exporter {
 public:
  explicit Jsonl(Export& work) : work_(work), facts_(work.source, work.state) {}

  Status begin() override {
    render::StringWriter text;
    render::JsonWriter json(text);
    json.begin_document(jsonl_schema, jsonl_schema_version)
        .member("record", "header")
        .member("run", work_.source.run_id())
        .member("stream", run_stream(work_.source.run_id()))
        .member("events", work_.source.head().value)
        .member("origin", work_.source.origin())
        .member("pievt_version", work_.options.pievt_version)
        .member("redacted", work_.manifest.redactions.has_value())
        .end_object()
        .end_document();
    work_.out.write(text.text());
    ++work_.manifest.items_out;
    return write_outputs();
  }

  Status event(const EventView& event) override {
    if (actors_.insert(event.stamp->actor()).second) PIEVT_TRY(write_actor(event));
    for (const FoundBlob& found : PIEVT_TRY(facts_.blobs(event))) {
      if (found.ref.kind() == schema::BlobKind::output_chunk) continue;
      PIEVT_TRY(write_blob(found.ref));
    }
    return write_event(event);
  }

  Status end() override {
    ++work_.manifest.items_out;
    render::StringWriter text;
    render::JsonWriter json(text);
    json.begin_object().member("record", "manifest");
    write_manifest_members(json, work_.manifest);
    json.end_object().end_document();
    work_.out.write(text.text());
    return {};
  }

 private:
  Status write_actor(const EventView& event) {
    const Actor actor = PIEVT_TRY(work_.source.actor(event.stamp->actor()));
    work_.out.print(R"({{"record":"actor","number":{},"uid":{},"pid":{},"program":{}}})"
                    "\n",
                    actor.number, actor.uid, actor.pid, render::json_string(actor.program));
    ++work_.manifest.items_out;
    return {};
  }

  Status write_blob(const schema::BlobRef& ref) {
    const auto digest = std::as_bytes(std::span(ref.digest().bytes()->data(), 32));
    std::string key(reinterpret_cast<const char*>(digest.data()), 16);
    if (!blobs_.insert(std::move(key)).second) return {};
    const std::optional<std::string> content = PIEVT_TRY(work_.text(ref));
    if (!content) return {};
    const std::string sum = hex(sha256(std::as_bytes(std::span(*content))));
    std::size_t part = 0;
    do {
      const std::string_view text = std::string_view(*content).substr(part, jsonl_part_bytes);
      line_.assign(R"({"record":"blob","digest":")");
      line_ += hex(digest);
      line_ += R"(","kind":")";
      line_ += schema::EnumNameBlobKind(ref.kind());
      line_ += R"(","sha256":")";
      line_ += sum;
      number(line_, R"(","size":)", content->size());
      number(line_, R"(,"offset":)", part);
      if (is_utf8(text)) {
        line_ += R"(,"text":)";
        line_ += render::json_string(text);
      } else {
        line_ += R"(,"base64":")";
        append_base64(line_, std::as_bytes(std::span(text)));
        line_ += '"';
      }
      line_ += "}\n";
      work_.out.write(line_);
      ++work_.manifest.items_out;
      part += text.size();
    } while (part < content->size() && !work_.out.done());
    return {};
  }

  // Chunk by chunk as it was captured, since the events name the chunks.
  Status write_outputs() {
    const std::vector<CapturedChannel> channels =
        PIEVT_TRY(captured_channels(work_.source, work_.state));
    for (const CapturedChannel& channel : channels) {
      std::size_t chunk = 0;
      const Result<std::uint64_t> read = work_.source.output(
          channel.key, *channel.attempt_in(work_.state),
          [&](std::span<const std::byte> raw) -> Status {
            if (work_.out.done()) return Error{Errc::io, "what is written to takes no more"};
            if (chunk >= channel.chunks.size()) return Error{Errc::corrupt, "too many chunks"};
            const CapturedChunk& is = channel.chunks[chunk];
            const auto frame = PIEVT_TRY(compress(raw, output_compression_level));
            line_.clear();
            fmt::format_to(std::back_inserter(line_),
                           R"({{"record":"output","job":{},"attempt":{},"channel":"{}",)"
                           R"("chunk":{},"offset":{},"size":{},"restart":{},"zstd":")",
                           channel.key.job, channel.key.attempt,
                           schema::EnumNameOutputChannel(channel.key.channel), is.number, is.offset,
                           raw.size(), is.restart);
            append_base64(line_, frame);
            line_ += "\"}\n";
            work_.out.write(line_);
            ++work_.manifest.items_out;
            ++chunk;
            return {};
          });
      // A chunk that was redacted or never arrived is one more text that is not there.
      if (!read.ok() && work_.out.done()) return read.error();
      work_.miss(channel.chunks.size() - chunk);
    }
    return {};
  }

  Status write_event(const EventView& event) {
    const schema::Head& head = event.head();
    if (event.id.append != append_ || append_text_.empty()) {
      append_ = event.id.append;
      append_text_ = to_string(append_);
    }
    line_.clear();
    number(line_, R"({"record":"event","revision":)", event.revision().value);
    line_ += R"(,"type":")";
    line_ += facts_.type(event);
    line_ += R"(","time":")";
    line_ += facts_.time(event.time_ns());
    line_ += '"';
    if (const std::string_view job = facts_.job(event); !job.empty()) {
      if (head.job() != job_ || job_text_.empty()) {
        job_ = head.job();
        job_text_ = render::json_string(job);
      }
      line_ += R"(,"job":)";
      line_ += job_text_;
    }
    if (head.attempt() != 0) number(line_, R"(,"attempt":)", head.attempt());
    if (head.gate() != 0) number(line_, R"(,"gate":)", head.gate());
    if (head.causation() != 0) number(line_, R"(,"causation":)", head.causation());
    line_ += R"(,"payload":)";
    line_ += PIEVT_TRY(facts_.payload(event));
    number(line_, R"(,"recorded_ns":")", event.stamp->wall_ns());
    number(line_, R"(","monotonic_ns":")", event.stamp->monotonic_ns());
    number(line_, R"(","actor":)", event.stamp->actor());
    line_ += R"(,"append":")";
    line_ += append_text_;
    number(line_, R"(","index":)", event.id.index);
    line_ += R"(,"body":")";
    append_base64(line_, event.body);
    line_ += "\"}\n";
    work_.out.write(line_);
    ++work_.manifest.items_out;
    return {};
  }

  Export& work_;
  EventFacts facts_;
  std::set<std::uint32_t> actors_;
  std::unordered_set<std::string> blobs_;
  std::string line_;
  AppendId append_;
  std::string append_text_;
  std::uint32_t job_ = 0;
  std::string job_text_;
};

}  // namespace

std::unique_ptr<Exporter> make_jsonl(Export& work) {
  return std::make_unique<Jsonl>(work);
}

}  // namespace pievt::tools
