#include "tools/exporters/jsonl_writing.h"

#include <array>
#include <charconv>
#include <span>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "tools/exporters/base64.h"
#include "tools/exporters/jsonl.h"
#include "tools/render/utf8.h"

namespace pievt::tools {
namespace {

constexpr std::size_t handed_on_bytes = std::size_t{256} << 10;
constexpr std::size_t jobs_kept_max = 1u << 16;

}  // namespace

void JsonlWriting::number(std::string_view name, std::uint64_t value) {
  std::array<char, 20> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written at once
  lines_ += name;
  lines_.append(digits.data(),
                std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

void JsonlWriting::flush() {
  work_.out.write(lines_);
  lines_.clear();
}

Status JsonlWriting::write(const JsonlWindow& window) {
  actor_ = text_ = 0;
  for (const JsonlWindow::Item& item : window.items) {
    const bool cut = window.end && &item == &window.items.back();
    Status written = cut ? Status() : write_item(window, item);
    if (cut) {
      while (actor_ < item.actors_end) write_actor(window.actors[actor_++]);
      written = *window.end;
    }
    if (!written.ok()) {
      flush();
      return written;
    }
    if (lines_.size() < handed_on_bytes) continue;
    flush();
    if (work_.out.done()) return Error{Errc::io, "what is written to takes no more"};
  }
  flush();
  return {};
}

Status JsonlWriting::write_item(const JsonlWindow& window, const JsonlWindow::Item& item) {
  while (actor_ < item.actors_end) write_actor(window.actors[actor_++]);
  while (text_ < item.texts_end) {
    const JsonlWindow::Text& text = window.texts[text_++];
    if (text.state == JsonlWindow::Text::State::unreadable) return window.errors[text.error];
    if (text.state == JsonlWindow::Text::State::missing) {
      work_.miss();
    } else {
      write_text(text.ref, window.text_of(text));
    }
  }
  return write_event(item.event, *item.shape);
}

void JsonlWriting::write_actor(const Actor& actor) {
  lines_ += fmt::format(R"({{"record":"actor","number":{},"uid":{},"pid":{},"program":{}}})"
                        "\n",
                        actor.number, actor.uid, actor.pid, render::json_string(actor.program));
  ++work_.manifest.items_out;
}

void JsonlWriting::write_text(const schema::BlobRef& ref, std::string_view content) {
  const auto digest = std::as_bytes(std::span(ref.digest().bytes()->data(), 32));
  std::string front = R"({"record":"blob","digest":")";
  front += hex(digest);
  front += R"(","kind":")";
  front += schema::EnumNameBlobKind(ref.kind());
  front += R"(","sha256":")";
  front += hex(sha256(std::as_bytes(std::span(content))));
  front += '"';
  std::size_t part = 0;
  do {
    const std::string_view text = content.substr(part, jsonl_part_bytes);
    lines_ += front;
    number(R"(,"size":)", content.size());
    number(R"(,"offset":)", part);
    // What JSON can carry so that it comes back byte for byte.
    if (render::is_utf8(text)) {
      lines_ += R"(,"text":)";
      render::append_json_string(lines_, text);
    } else {
      lines_ += R"(,"base64":")";
      append_base64(lines_, std::as_bytes(std::span(text)));
      lines_ += '"';
    }
    lines_ += "}\n";
    if (lines_.size() >= handed_on_bytes) flush();
    ++work_.manifest.items_out;
    part += text.size();
  } while (part < content.size() && !work_.out.done());
}

// As JSON; empty where the event has no job.
std::string_view JsonlWriting::job_text(const EventView& event) {
  const std::uint32_t number = event.head().job();
  const bool kept = number != 0 && number < jobs_kept_max;
  if (kept && number < jobs_.size() && !jobs_[number].empty()) return jobs_[number];
  const std::string_view job = facts_.job(event);
  if (job.empty()) return {};
  const std::size_t at = kept ? number : 0;
  if (at >= jobs_.size()) jobs_.resize(at + 1);
  return jobs_[at] = render::json_string(job);
}

Status JsonlWriting::write_event(const EventView& event, const EventFacts::Shape& shape) {
  const schema::Head& head = event.head();
  if (event.id.append != append_ || append_text_.empty()) {
    append_ = event.id.append;
    append_text_ = to_string(append_);
  }
  const std::size_t begin = lines_.size();
  number(R"({"record":"event","revision":)", event.revision().value);
  lines_ += R"(,"type":")";
  lines_ += shape.name;
  lines_ += R"(","time":")";
  lines_ += facts_.time(event.time_ns());
  lines_ += '"';
  if (const std::string_view job = job_text(event); !job.empty()) {
    lines_ += R"(,"job":)";
    lines_ += job;
  }
  if (head.attempt() != 0) number(R"(,"attempt":)", head.attempt());
  if (head.gate() != 0) number(R"(,"gate":)", head.gate());
  if (head.causation() != 0) number(R"(,"causation":)", head.causation());
  lines_ += R"(,"payload":)";
  const auto proven =
      shape.refers_to_blobs ? reflect::JsonTable::Proven::yes : reflect::JsonTable::Proven::no;
  if (Status payload = EventFacts::append_payload(lines_, event, shape, proven); !payload.ok()) {
    lines_.resize(begin);
    return payload;
  }
  number(R"(,"recorded_ns":")", event.stamp->wall_ns());
  number(R"(","monotonic_ns":")", event.stamp->monotonic_ns());
  number(R"(","actor":)", event.stamp->actor());
  lines_ += R"(,"append":")";
  lines_ += append_text_;
  number(R"(","index":)", event.id.index);
  lines_ += R"(,"body":")";
  append_base64(lines_, event.body);
  lines_ += "\"}\n";
  ++work_.manifest.items_out;
  return {};
}

}  // namespace pievt::tools
