#include "tools/exporters/event_facts.h"

#include <fmt/format.h>

#include "tools/render/text.h"

namespace pievt::tools {

struct EventFacts::Known {
  explicit Known(const reflect::Schema& stays)
      : schema(&stays), texts(stays), blobs(stays), shapes(256) {}
  explicit Known(std::unique_ptr<reflect::Schema> loaded) : Known(*loaded) {
    owned = std::move(loaded);
  }

  std::unique_ptr<reflect::Schema> owned;
  const reflect::Schema* schema;
  reflect::JsonTable texts;
  reflect::BlobFinder blobs;
  std::vector<Shape> shapes;  ///< by tag
};

EventFacts::EventFacts(const RunSource& source, const RunState& run) : source_(source), run_(run) {
  auto own = std::make_unique<Known>(reflect::Schema::embedded_events());
  learn(*own);
  own_ = (known_[0] = std::move(own)).get();
}

EventFacts::~EventFacts() = default;

void EventFacts::learn(Known& known) {
  const reflect::EnumType* const types = known.schema->root_union();
  for (std::size_t tag = 0; tag < known.shapes.size(); ++tag) {
    Shape& shape = known.shapes[tag];
    shape.known = &known;
    shape.name = fmt::format("unknown({})", tag);
    if (types == nullptr) continue;
    shape.table = known.schema->member_table(*types, static_cast<std::int64_t>(tag));
    if (shape.table == nullptr) continue;
    shape.name = shape.table->short_name();
    shape.refers_to_blobs = known.blobs.reaches(*shape.table);
  }
}

EventFacts::Known& EventFacts::schema_of(const EventView& event) {
  const Result<std::uint64_t> hash = source_.schema_hash(event);
  if (!hash.ok() || *hash == 0) return *own_;
  if (last_ != nullptr && last_hash_ == *hash) return *last_;
  std::unique_ptr<Known>& known = known_[*hash];
  if (known == nullptr) {
    // A schema that cannot be had leaves what this program's own can tell.
    const Result<std::vector<std::byte>> bytes = source_.schema(*hash);
    if (bytes.ok()) {
      Result<reflect::Schema> loaded = reflect::Schema::load(*bytes);
      if (loaded.ok())
        known = std::make_unique<Known>(std::make_unique<reflect::Schema>(std::move(*loaded)));
    }
    if (known == nullptr) known = std::make_unique<Known>(reflect::Schema::embedded_events());
    learn(*known);
  }
  last_hash_ = *hash;
  return *(last_ = known.get());
}

const EventFacts::Shape& EventFacts::shape(const EventView& event) {
  return schema_of(event).shapes[static_cast<std::uint8_t>(event.type())];
}

Result<std::string> EventFacts::payload(const EventView& event) {
  std::string text;
  PIEVT_TRY(append_payload(text, event, shape(event), reflect::JsonTable::Proven::no));
  return text;
}

Status EventFacts::append_payload(std::string& text, const EventView& event, const Shape& shape,
                                  reflect::JsonTable::Proven proven) {
  if (shape.table == nullptr) {
    text += "null";
    return {};
  }
  return shape.known->texts.append(text, *shape.table, event.body, event.envelope->payload(),
                                   proven);
}

Result<std::span<const reflect::BlobFinder::Found>> EventFacts::blobs(const EventView& event,
                                                                      const Shape& shape) {
  if (!shape.refers_to_blobs) return std::span<const reflect::BlobFinder::Found>();
  return shape.known->blobs.find(event.body);
}

std::string_view EventFacts::job(const EventView& event) const {
  const std::uint32_t number = event.head().job();
  if (number == 0) return event.head().attempt() == 0 ? "" : "_probe";
  const JobState* job = find_job(run_, number);
  return job == nullptr ? std::string_view("?") : std::string_view(job->id);
}

std::string_view TimeText::of(std::uint64_t time_ns) {
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
