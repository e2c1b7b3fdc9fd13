// One row for each event. Nothing is left to be found out at the end: every carried event is a row,
// so the account stands whole in the metadata of the schema, before the first of them.
//
// A batch ends after so many rows or so many bytes, whichever comes first, and is all that is ever
// in memory.
#include "tools/exporters/arrow/arrow.h"

#include <array>
#include <map>

#include "tools/exporters/arrow/stream.h"
#include "tools/exporters/event_facts.h"
#include "tools/render/utf8.h"

namespace pievt::tools {
namespace {

using arrow::Column;
using arrow::ColumnSpec;
using arrow::Kind;
using arrow::Nulls;

constexpr std::size_t batch_rows_max = 4096;
constexpr std::size_t batch_bytes_max = 8u << 20;

// An event with what had to be looked up for it.
struct Row {
  const EventView& event;
  std::string type, job, program, payload;
};

void add_number(Column& column, std::uint64_t number) {
  if (number == 0) return column.add_null();
  column.add(number);
}

void add_text(Column& column, std::string_view text) {
  if (text.empty()) return column.add_null();
  column.add(text);
}

struct ColumnRow {
  ColumnSpec spec;
  void (*add)(Column&, const Row&);
};

// Names are those of `jsonl` and `log -o json`, and stay.
constexpr std::array column_rows = {
    ColumnRow{{"revision", Kind::uint64, Nulls::never},
              [](Column& c, const Row& r) { c.add(r.event.revision().value); }},
    ColumnRow{{"sequence", Kind::uint64, Nulls::allowed},
              [](Column& c, const Row& r) { add_number(c, r.event.sequence.value); }},
    ColumnRow{{"time", Kind::timestamp, Nulls::never},
              [](Column& c, const Row& r) { c.add(r.event.time_ns()); }},
    ColumnRow{{"recorded", Kind::timestamp, Nulls::never},
              [](Column& c, const Row& r) { c.add(r.event.stamp->wall_ns()); }},
    ColumnRow{{"type", Kind::utf8, Nulls::never}, [](Column& c, const Row& r) { c.add(r.type); }},
    ColumnRow{{"job_number", Kind::uint32, Nulls::allowed},
              [](Column& c, const Row& r) { add_number(c, r.event.head().job()); }},
    ColumnRow{{"job", Kind::utf8, Nulls::allowed},
              [](Column& c, const Row& r) { add_text(c, r.job); }},
    ColumnRow{{"attempt", Kind::uint32, Nulls::allowed},
              [](Column& c, const Row& r) { add_number(c, r.event.head().attempt()); }},
    ColumnRow{{"gate", Kind::uint32, Nulls::allowed},
              [](Column& c, const Row& r) { add_number(c, r.event.head().gate()); }},
    ColumnRow{{"actor", Kind::uint32, Nulls::never},
              [](Column& c, const Row& r) { c.add(r.event.stamp->actor()); }},
    ColumnRow{{"program", Kind::utf8, Nulls::allowed},
              [](Column& c, const Row& r) { add_text(c, r.program); }},
    ColumnRow{{"causation", Kind::uint64, Nulls::allowed},
              [](Column& c, const Row& r) { add_number(c, r.event.head().causation()); }},
    ColumnRow{{"payload", Kind::utf8, Nulls::never},
              [](Column& c, const Row& r) { c.add(r.payload); }},
    ColumnRow{{"body_size", Kind::uint32, Nulls::never},
              [](Column& c, const Row& r) { c.add(r.event.body.size()); }},
};

// Names come from stored bytes, which nobody has to have written in UTF-8.
std::string valid_utf8(std::string_view text) {
  std::string valid;
  for (std::size_t at = 0; at < text.size();) {
    const render::Decoded decoded = render::decode_utf8(text, at);
    if (decoded.valid) {
      valid += text.substr(at, decoded.size);
    } else {
      render::append_utf8(valid, decoded.code_point);
    }
    at += decoded.size;
  }
  return valid;
}

class Arrow final : public Exporter {
 public:
  explicit Arrow(Export& work) : work_(work), facts_(work.source, work.state), stream_(work.out) {
    for (const ColumnRow& row : column_rows) columns_.emplace_back(row.spec);
  }

  Status begin() override {
    work_.manifest.items_out = work_.manifest.events_carried;
    render::StringWriter text;
    render::JsonWriter json(text);
    json.begin_object();
    write_manifest_members(json, work_.manifest);
    json.end_object();
    const std::array<std::pair<std::string, std::string>, 4> metadata = {{
        {"pievt.schema", "pievt.export.events 1"},
        {"pievt.run", valid_utf8(work_.source.run_id())},
        {"pievt.version", work_.options.pievt_version},
        {"pievt.manifest", text.take()},
    }};
    stream_.begin(columns_, metadata);
    return {};
  }

  Status event(const EventView& event) override {
    const auto actor = PIEVT_TRY(program(event.stamp->actor()));
    const auto payload = PIEVT_TRY(facts_.payload(event));
    const Row row{event, valid_utf8(facts_.type(event)), valid_utf8(facts_.job(event)), actor,
                  payload};
    for (std::size_t i = 0; i < column_rows.size(); ++i) column_rows[i].add(columns_[i], row);
    bytes_ += row.payload.size();
    if (columns_.front().rows() < batch_rows_max && bytes_ < batch_bytes_max) return {};
    return write_batch();
  }

  Status end() override {
    if (columns_.front().rows() != 0) PIEVT_TRY(write_batch());
    stream_.end();
    return {};
  }

 private:
  Status write_batch() {
    PIEVT_TRY(stream_.batch(columns_));
    for (Column& column : columns_) column.clear();
    bytes_ = 0;
    return {};
  }

  Result<std::string> program(std::uint32_t actor) {
    auto found = programs_.find(actor);
    if (found == programs_.end()) {
      const Actor who = PIEVT_TRY(work_.source.actor(actor));
      found = programs_.emplace(actor, valid_utf8(who.program)).first;
    }
    return found->second;
  }

  Export& work_;
  EventFacts facts_;
  arrow::StreamWriter stream_;
  std::vector<Column> columns_;
  std::size_t bytes_ = 0;
  std::map<std::uint32_t, std::string> programs_;
};

}  // namespace

std::unique_ptr<Exporter> make_arrow(Export& work) {
  return std::make_unique<Arrow>(work);
}

}  // namespace pievt::tools
