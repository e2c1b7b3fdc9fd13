#include "tools/verbs/log_output.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "tools/render/listing.h"
#include "tools/render/sanitise.h"
#include "tools/render/width.h"
#include "tools/verbs/access.h"
#include "tools/verbs/event_fields.h"
#include "tools/verbs/event_json.h"

namespace pievt::tools {
namespace {

using render::Fact;
using render::Style;

class LogText final : public LogOutput {
 public:
  LogText(const Context& context, EventNames& names, LogForm form, const LogScope& scope)
      : context_(context),
        names_(names),
        form_(form),
        whole_store_(scope.run.empty()),
        number_width_(static_cast<int>(fmt::formatted_size("#{}", scope.last.value))) {}

  void event(const EventView& event) override {
    say_date(event);
    std::string line = head(event);
    std::vector<ShownField> fields = payload_fields(event);
    if (!event.known()) {
      fields.push_back({"note", "unknown to this pievt", ShownField::Rank::word, Style::warn});
    }
    const bool verbose = context_.globals.loudness == Loudness::verbose;
    if (verbose) return block(event, line, fields);
    const std::string payload = fields_line(std::move(fields), context_.terminal);
    if (form_ == LogForm::oneline) {
      write(payload.empty() ? line : line + "  " + payload);
    } else {
      write(line);
      if (!payload.empty()) write(std::string(indent(), ' ') + payload);
    }
  }

  void finish() override {}

 private:
  std::size_t indent() const { return static_cast<std::size_t>(number_width_) + 2; }

  // The zone is said once with the date, so that the times can stay short.
  void say_date(const EventView& event) {
    const auto time = static_cast<std::int64_t>(event.time_ns());
    std::string date = fmt::format("{} {}", render::date_text(time, context_.globals.zone),
                                   render::zone_text(time, context_.globals.zone));
    if (date == date_) return;
    date_ = std::move(date);
    context_.out.line(styled(context_.terminal, Style::dim, date_));
  }

  std::string head(const EventView& event) {
    const std::string number = whole_store_ ? fmt::format("@{}", event.sequence.value)
                                            : fmt::format("#{}", event.revision().value);
    std::string line =
        styled(context_.terminal, Style::warn,
               render::fill_to_width(number, number_width_, render::Align::left)) +
        "  " +
        render::clock_text(static_cast<std::int64_t>(event.time_ns()), context_.globals.zone) +
        "  " + styled(context_.terminal, Style::bold, type(event));
    if (whole_store_) {
      line += "  " + render::one_line(names_.stream(event)) +
              fmt::format(" #{}", event.revision().value);
    }
    const std::string subject = render::one_line(names_.subject(event));
    if (!subject.empty()) line += "  " + subject;
    return line;
  }

  // In one line the types stand in a column of their own.
  std::string type(const EventView& event) const {
    const std::string_view name = type_name(event.type());
    constexpr int longest = 22;  // AttemptLaunchRequested
    return form_ == LogForm::oneline ? fmt::format("{:<{}}", name, longest) : std::string(name);
  }

  // -v: everything there is, a field a line, nothing cut.
  void block(const EventView& event, const std::string& line,
             const std::vector<ShownField>& fields) {
    context_.out.line(line);
    const auto field = [&](std::string_view name, std::string_view text) {
      context_.out.print("{:{}}{} {}\n", "", indent(),
                         styled(context_.terminal, Style::dim, fmt::format("{:<22}", name)), text);
    };
    const schema::Head& head = event.head();
    field("sequence", fmt::format("@{}", event.sequence.value));
    field("id", fmt::format("{}.{}", to_string(event.id.append), event.id.index));
    field("actor", fmt::format("{}", event.stamp->actor()));
    if (head.causation() != 0) field("caused by", fmt::format("#{}", head.causation()));
    if (head.correlation() != 0) field("began with", fmt::format("#{}", head.correlation()));
    if (head.gate() != 0) field("gate", fmt::format("{}", head.gate()));
    if (head.artifact() != 0) field("artifact", fmt::format("{}", head.artifact()));
    for (const ShownField& shown : fields) {
      field(shown.name, styled(context_.terminal, shown.style, shown.text));
    }
  }

  void write(const std::string& line) {
    const render::Terminal& terminal = context_.terminal;
    context_.out.line(
        terminal.is_tty ? render::cut_to_width(line, terminal.width, terminal.cut_mark()) : line);
  }

  const Context& context_;
  EventNames& names_;
  LogForm form_;
  bool whole_store_;
  int number_width_;
  std::string date_;
};

class JsonOutput final : public LogOutput {
 public:
  JsonOutput(const Context& context, EventNames& names, const LogScope& scope)
      : context_(context), names_(names), scope_(scope) {}

  void event(const EventView& event) override {
    if (lines()) {
      render::JsonWriter line(context_.out);
      line.begin_document(event_schema, event_schema_version);
      write_event_members(line, event, names_, context_.globals.fields);
      line.end_object().end_document();
      return;
    }
    begin();
    json_->begin_object();
    write_event_members(*json_, event, names_, context_.globals.fields);
    json_->end_object();
  }

  void finish() override {
    if (lines()) return;
    begin();
    json_->end_array().end_object().end_document();
  }

 private:
  bool lines() const { return context_.globals.output == OutputFormat::jsonl; }

  void begin() {
    if (json_) return;
    json_.emplace(context_.out, render::JsonWriter::Layout::indented);
    json_->begin_document("pievt.log", 1).key("run");
    if (scope_.run.empty()) {
      json_->null();
    } else {
      json_->value(scope_.run);
    }
    json_->key("events").begin_array();
  }

  const Context& context_;
  EventNames& names_;
  LogScope scope_;
  std::optional<render::JsonWriter> json_;
};

class CsvOutput final : public LogOutput {
 public:
  CsvOutput(const Context& context, EventNames& names, render::Listing listing)
      : context_(context), names_(names), listing_(std::move(listing)) {}

  static render::ListingShape shape() {
    render::ListingShape shape{"pievt.event", event_schema_version, {}};
    for (const char* key : {"sequence", "revision", "stream", "time", "type", "job", "attempt",
                            "actor", "causation", "correlation", "payload"}) {
      shape.columns.push_back({key, {.title = key}});
    }
    return shape;
  }

  void event(const EventView& event) override {
    const auto number = [](std::uint64_t n) { return n == 0 ? Fact::unknown() : Fact::count(n); };
    const schema::Head& head = event.head();
    const std::string job = names_.job(event);
    listing_.row({Fact::count(event.sequence.value), Fact::count(event.revision().value),
                  Fact::text(names_.stream(event)),
                  Fact::time(static_cast<std::int64_t>(event.time_ns()), context_.globals.zone),
                  Fact::text(type_name(event.type())),
                  job.empty() ? Fact::unknown() : Fact::text(job), number(head.attempt()),
                  number(event.stamp->actor()), number(head.causation()),
                  number(head.correlation()), Fact::text(payload_json(event))});
  }

  void finish() override { listing_.finish(""); }

 private:
  const Context& context_;
  EventNames& names_;
  render::Listing listing_;
};

class CountOutput final : public LogOutput {
 public:
  explicit CountOutput(render::Listing listing) : listing_(std::move(listing)) {}

  static render::ListingShape shape() {
    return {"pievt.log_counts",
            1,
            {{"type", {.title = "TYPE"}},
             {"events", {.title = "EVENTS", .align = render::Align::right}},
             {"body_bytes", {.title = "SIZE", .align = render::Align::right}},
             {"first_sequence",
              {.title = "FIRST", .align = render::Align::right},
              render::ListingColumn::Shown::on_request},
             {"last_sequence",
              {.title = "LAST", .align = render::Align::right},
              render::ListingColumn::Shown::on_request}}};
  }

  void event(const EventView& event) override {
    Count& count = counts_[event.type()];
    if (count.events++ == 0) count.first = count.last = event.sequence.value;
    count.bytes += event.stamp->body_size();
    count.first = std::min(count.first, event.sequence.value);
    count.last = std::max(count.last, event.sequence.value);
  }

  void finish() override {
    std::vector<std::pair<schema::Payload, Count>> rows(counts_.begin(), counts_.end());
    std::ranges::stable_sort(rows, std::ranges::greater{},
                             [](const auto& row) { return row.second.events; });
    for (const auto& [type, count] : rows) {
      listing_.row({Fact::text(type_name(type)), Fact::count(count.events),
                    Fact::bytes(count.bytes), Fact::count(count.first), Fact::count(count.last)});
    }
    listing_.finish("no events");
  }

 private:
  struct Count {
    std::uint64_t events = 0, bytes = 0, first = 0, last = 0;
  };
  render::Listing listing_;
  std::map<schema::Payload, Count> counts_;
};

Result<render::Listing> listing(const Context& context, render::ListingShape shape) {
  return render::Listing::create(context.out, context.terminal,
                                 listing_format(context.globals.output), std::move(shape),
                                 context.globals.fields);
}

}  // namespace

Result<std::unique_ptr<LogOutput>> make_log_output(const Context& context, EventNames& names,
                                                   LogForm form, const LogScope& scope) {
  using Made = std::unique_ptr<LogOutput>;
  if (form == LogForm::counts) {
    return Made(std::make_unique<CountOutput>(PIEVT_TRY(listing(context, CountOutput::shape()))));
  }
  if (context.globals.output == OutputFormat::csv) {
    return Made(std::make_unique<CsvOutput>(context, names,
                                            PIEVT_TRY(listing(context, CsvOutput::shape()))));
  }
  if (context.wants_json()) {
    PIEVT_TRY(check_event_fields(context.globals.fields));
    return Made(std::make_unique<JsonOutput>(context, names, scope));
  }
  if (!context.globals.fields.empty()) {
    return Error{Errc::invalid, "--fields needs -o json, jsonl or csv here; -v shows every field"};
  }
  return Made(std::make_unique<LogText>(context, names, form, scope));
}

}  // namespace pievt::tools
