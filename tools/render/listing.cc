// A fact is rendered into its three forms when it is made; the listing only chooses among them.
#include "tools/render/listing.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/render/csv.h"

namespace pievt::render {
namespace {

std::vector<Column> columns_of(const ListingShape& shape, std::span<const std::size_t> order) {
  std::vector<Column> columns;
  for (const std::size_t i : order) columns.push_back(shape.columns[i].column);
  return columns;
}

Error unknown_field(const ListingShape& shape, std::string_view field) {
  std::string known;
  for (const ListingColumn& column : shape.columns) {
    known += (known.empty() ? "" : ", ") + column.key;
  }
  return {Errc::invalid, fmt::format("--fields: there is no \"{}\"; there are {}", field, known)};
}

}  // namespace

Fact Fact::text(std::string_view content, Style style) {
  return {std::string(content), json_string(content), std::string(content), style};
}

Fact Fact::count(std::uint64_t number) {
  const std::string digits = fmt::format("{}", number);
  return {count_text(number), digits, digits};
}

Fact Fact::truth(bool yes) {
  const std::string word = yes ? "true" : "false";
  return {yes ? "yes" : "no", word, word};
}

Fact Fact::bytes(std::uint64_t size) {
  const std::string digits = fmt::format("{}", size);
  return {bytes_text(size), digits, digits};
}

Fact Fact::money(std::int64_t nanodollars) {
  const std::string digits = fmt::format("{}", nanodollars);
  return {money_text(nanodollars), digits, digits};
}

Fact Fact::duration(std::int64_t duration_ns) {
  const std::string digits = fmt::format("{}", duration_ns);
  return {duration_text(duration_ns), digits, digits};
}

Fact Fact::time(std::int64_t time_ns, Zone zone) {
  const std::string utc = rfc3339(time_ns, Zone::utc, Precision::nanoseconds);
  const std::string shown =
      fmt::format("{} {}", rfc3339(time_ns, zone, Precision::seconds).substr(0, 10),
                  clock_text(time_ns, zone, Precision::seconds));
  return {shown, json_string(utc), utc};
}

Fact Fact::unknown(std::string_view words) {
  return {std::string(words), "null", "", Style::dim};
}

Listing::Listing(Writer& out, const Terminal& terminal, ListingFormat format, ListingShape shape,
                 std::vector<std::size_t> order)
    : out_(&out),
      terminal_(terminal),
      format_(format),
      shape_(std::move(shape)),
      order_(std::move(order)),
      table_(columns_of(shape_, order_)) {}

Result<Listing> Listing::create(Writer& out, const Terminal& terminal, ListingFormat format,
                                ListingShape shape, std::span<const std::string> fields) {
  std::vector<std::size_t> order;
  for (const std::string& field : fields) {
    const auto found = std::ranges::find(shape.columns, field, &ListingColumn::key);
    if (found == shape.columns.end()) return unknown_field(shape, field);
    order.push_back(static_cast<std::size_t>(found - shape.columns.begin()));
  }
  for (std::size_t i = 0; fields.empty() && i < shape.columns.size(); ++i) {
    const bool hidden =
        format == ListingFormat::text && shape.columns[i].shown == ListingColumn::Shown::on_request;
    if (!hidden) order.push_back(i);
  }
  return Listing(out, terminal, format, std::move(shape), std::move(order));
}

void Listing::write_members(JsonWriter& json, std::span<const Fact> facts) const {
  for (const std::size_t i : order_) json.key(shape_.columns[i].key).raw(facts[i].json());
}

// What stands before the first row. It is written with the first row or at the end, whichever comes
// first.
void Listing::begin() {
  if (rows_ > 0) return;
  if (format_ == ListingFormat::json) {
    json_.emplace(*out_, JsonWriter::Layout::indented);
    json_->begin_document(shape_.schema, shape_.schema_version).key("items").begin_array();
  } else if (format_ == ListingFormat::csv) {
    std::vector<std::string> header;
    for (const std::size_t i : order_) header.push_back(shape_.columns[i].key);
    out_->write(csv_record(header));
  }
}

void Listing::row(std::span<const Fact> facts) {
  PIEVT_ASSERT(facts.size() == shape_.columns.size());
  begin();
  ++rows_;
  switch (format_) {
    case ListingFormat::text: {
      std::vector<Cell> cells;
      for (const std::size_t i : order_) cells.emplace_back(facts[i].shown(), facts[i].style());
      table_.row(std::move(cells));
      return;
    }
    case ListingFormat::json:
      json_->begin_object();
      write_members(*json_, facts);
      json_->end_object();
      return;
    case ListingFormat::jsonl: {
      JsonWriter json(*out_);
      json.begin_document(shape_.schema + ".item", shape_.schema_version);
      write_members(json, facts);
      json.end_object().end_document();
      return;
    }
    case ListingFormat::csv: {
      std::vector<std::string> fields;
      for (const std::size_t i : order_) fields.push_back(facts[i].csv());
      out_->write(csv_record(fields));
      return;
    }
  }
}

void Listing::finish(std::string_view when_empty) {
  begin();
  if (format_ == ListingFormat::json) {
    json_->end_array().end_object().end_document();
  } else if (format_ == ListingFormat::text) {
    if (rows_ == 0) {
      out_->line(when_empty);
    } else {
      out_->write(table_.render(terminal_));
    }
  }
}

}  // namespace pievt::render
