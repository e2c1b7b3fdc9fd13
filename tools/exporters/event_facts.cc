#include "tools/exporters/event_facts.h"

#include <set>

#include <fmt/format.h>

#include "store/format/reflect_json.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace {

// Whether a BlobRef can hang below the table.
bool reaches_blob(const reflect::Schema& schema, const reflect::ObjectType& table,
                  std::set<std::string_view>& seen) {
  if (table.short_name() == "BlobRef") return true;
  if (!seen.insert(table.name).second) return false;
  for (const reflect::Field& field : table.fields) {
    const bool object =
        field.type.base == reflect::Base::object || field.type.element == reflect::Base::object;
    if (!object || field.type.index < 0) continue;
    const auto index = static_cast<std::size_t>(field.type.index);
    if (reaches_blob(schema, schema.objects()[index], seen)) return true;
  }
  return false;
}

}  // namespace

EventFacts::EventFacts(const RunSource& source, const RunState& run) : source_(source), run_(run) {
  const reflect::Schema& own = reflect::Schema::embedded_events();
  own_ = &(known_[0] = know(nullptr, own));
}

EventFacts::Known EventFacts::know(std::unique_ptr<reflect::Schema> owned,
                                   const reflect::Schema& schema) {
  Known known{std::move(owned), &schema, std::vector<Shape>(256)};
  for (std::size_t tag = 0; tag < known.shapes.size(); ++tag) {
    Shape& shape = known.shapes[tag];
    shape.name = fmt::format("unknown({})", tag);
    const reflect::EnumType* types = schema.root_union();
    if (types == nullptr) continue;
    shape.table = schema.member_table(*types, static_cast<std::int64_t>(tag));
    if (shape.table == nullptr) continue;
    shape.name = shape.table->short_name();
    std::set<std::string_view> seen;
    shape.refers_to_blobs = reaches_blob(schema, *shape.table, seen);
  }
  return known;
}

const EventFacts::Known& EventFacts::schema_of(const EventView& event) {
  const Result<std::uint64_t> hash = source_.schema_hash(event);
  if (!hash.ok() || *hash == 0) return *own_;
  if (const auto found = known_.find(*hash); found != known_.end()) return found->second;
  // A schema that cannot be had leaves what this program's own can tell.
  const Result<std::vector<std::byte>> bytes = source_.schema(*hash);
  if (bytes.ok()) {
    Result<reflect::Schema> loaded = reflect::Schema::load(*bytes);
    if (loaded.ok()) {
      auto owned = std::make_unique<reflect::Schema>(std::move(*loaded));
      const reflect::Schema& schema = *owned;
      return known_[*hash] = know(std::move(owned), schema);
    }
  }
  return known_[*hash] = know(nullptr, reflect::Schema::embedded_events());
}

std::string_view EventFacts::type(const EventView& event) {
  return schema_of(event).shapes[static_cast<std::uint8_t>(event.type())].name;
}

Result<std::string> EventFacts::payload(const EventView& event) {
  const Known& known = schema_of(event);
  const Shape& shape = known.shapes[static_cast<std::uint8_t>(event.type())];
  if (shape.table == nullptr) return std::string("null");
  return reflect::object_to_json(*known.schema, *shape.table, event.body,
                                 event.envelope->payload());
}

Result<std::vector<FoundBlob>> EventFacts::blobs(const EventView& event) {
  const Known& known = schema_of(event);
  if (!known.shapes[static_cast<std::uint8_t>(event.type())].refers_to_blobs)
    return std::vector<FoundBlob>();
  return blobs_of(*known.schema, event.body);
}

std::string_view EventFacts::job(const EventView& event) const {
  const std::uint32_t number = event.head().job();
  if (number == 0) return event.head().attempt() == 0 ? "" : "_probe";
  const JobState* job = find_job(run_, number);
  return job == nullptr ? std::string_view("?") : std::string_view(job->id);
}

std::string_view EventFacts::time(std::uint64_t time_ns) {
  constexpr std::uint64_t billion = 1'000'000'000;
  const std::uint64_t second = time_ns / billion;
  if (second != second_) {
    second_ = second;
    time_ = render::rfc3339(static_cast<std::int64_t>(second * billion), render::Zone::utc,
                            render::Precision::nanoseconds);
  }
  // "...T12:05:04.000000000Z": the nine digits before the last character.
  std::uint64_t rest = time_ns % billion;
  for (std::size_t i = 2; i <= 10; ++i, rest /= 10)
    time_[time_.size() - i] = static_cast<char>('0' + rest % 10);
  return time_;
}

}  // namespace pievt::tools
