#include "tools/exporters/jsonl_encoding.h"

#include <fmt/format.h>

#include "tools/exporters/base64.h"
#include "tools/exporters/jsonl.h"

namespace pievt::tools {
namespace {

constexpr std::size_t jobs_kept_max = 1u << 16;

void append_actor(std::string& lines, const Actor& actor) {
  lines += fmt::format(R"({{"record":"actor","number":{},"uid":{},"pid":{},"program":{}}})"
                       "\n",
                       actor.number, actor.uid, actor.pid, render::json_string(actor.program));
}

}  // namespace

void JsonlEncoding::encode(const JsonlWindow& window, std::size_t first, std::size_t end,
                           JsonlLines& lines) {
  actor_ = first == 0 ? 0 : window.items[first - 1].actors_end;
  text_ = first == 0 ? 0 : window.items[first - 1].texts_end;
  for (std::size_t at = first; at < end; ++at) {
    for (; actor_ < window.items[at].actors_end; ++actor_, ++lines.count)
      append_actor(lines.bytes, window.actors[actor_]);
    const bool cut = window.end && at + 1 == window.items.size();
    if (cut) {
      lines.end = window.end;
    } else if (Status made = encode_item(window, at, lines); !made.ok()) {
      lines.end = std::move(made).error();
    }
    if (lines.end) return;
  }
}

Status JsonlEncoding::encode_item(const JsonlWindow& window, std::size_t at, JsonlLines& lines) {
  using State = JsonlWindow::Text::State;
  const JsonlWindow::Item& item = window.items[at];
  for (; text_ < item.texts_end; ++text_) {
    const JsonlWindow::Text& is = window.texts[text_];
    if (is.state == State::unreadable) return window.errors[is.error];
    if (is.state == State::missing) {
      ++lines.texts_missing;
    } else if (is.size > jsonl_part_bytes) {
      lines.large.push_back({lines.bytes.size(), text_});
    } else {
      JsonlText(is.ref, window.text_of(is)).append_part(lines.bytes);
      ++lines.count;
    }
  }
  PIEVT_TRY(append_event(window.copies.events()[at], *item.shape, lines.bytes));
  ++lines.count;
  return {};
}

// As JSON; empty where the event has no job.
std::string_view JsonlEncoding::job_text(const EventView& event) {
  const std::uint32_t number = event.head().job();
  const bool kept = number != 0 && number < jobs_kept_max;
  if (kept && number < jobs_.size() && !jobs_[number].empty()) return jobs_[number];
  const std::string_view job = facts_.job(event);
  if (job.empty()) return {};
  const std::size_t at = kept ? number : 0;
  if (at >= jobs_.size()) jobs_.resize(at + 1);
  return jobs_[at] = render::json_string(job);
}

Status JsonlEncoding::append_event(const EventView& event, const EventFacts::Shape& shape,
                                   std::string& lines) {
  const schema::Head& head = event.head();
  if (event.id.append != append_ || append_text_.empty()) {
    append_ = event.id.append;
    append_text_ = to_string(append_);
  }
  const std::size_t begin = lines.size();
  append_number(lines, R"({"record":"event","revision":)", event.revision().value);
  lines += R"(,"type":")";
  lines += shape.name;
  lines += R"(","time":")";
  lines += times_.of(event.time_ns());
  lines += '"';
  if (const std::string_view job = job_text(event); !job.empty()) {
    lines += R"(,"job":)";
    lines += job;
  }
  if (head.attempt() != 0) append_number(lines, R"(,"attempt":)", head.attempt());
  if (head.gate() != 0) append_number(lines, R"(,"gate":)", head.gate());
  if (head.causation() != 0) append_number(lines, R"(,"causation":)", head.causation());
  lines += R"(,"payload":)";
  const auto proven =
      shape.refers_to_blobs ? reflect::JsonTable::Proven::yes : reflect::JsonTable::Proven::no;
  if (Status payload = EventFacts::append_payload(lines, event, shape, proven); !payload.ok()) {
    lines.resize(begin);
    return payload;
  }
  append_number(lines, R"(,"recorded_ns":")", event.stamp->wall_ns());
  append_number(lines, R"(","monotonic_ns":")", event.stamp->monotonic_ns());
  append_number(lines, R"(","actor":)", event.stamp->actor());
  lines += R"(,"append":")";
  lines += append_text_;
  append_number(lines, R"(","index":)", event.id.index);
  lines += R"(,"body":")";
  append_base64(lines, event.body);
  lines += "\"}\n";
  return {};
}

}  // namespace pievt::tools
