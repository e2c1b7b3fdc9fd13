#include "tools/verbs/event_fields.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/format/reflect_walk.h"
#include "tools/render/sanitise.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace {

using Rank = ShownField::Rank;

constexpr std::size_t name_bytes_max = 40;    // longer texts are sentences
constexpr std::size_t list_items_shown = 12;  // further ones are only counted
constexpr std::size_t digest_bytes_shown = 6;

constexpr std::array<std::string_view, 6> good_words = {"succeeded", "ok",       "passed",
                                                        "approved",  "reported", "stop"};
constexpr std::array<std::string_view, 10> bad_words = {
    "failed", "killed",    "lost",  "failed_to_run", "rejected",
    "empty",  "truncated", "error", "incomplete",    "aborted"};

render::Style style_of(std::string_view word) {
  if (std::ranges::find(good_words, word) != good_words.end()) return render::Style::good;
  if (std::ranges::find(bad_words, word) != bad_words.end()) return render::Style::bad;
  return render::Style::plain;
}

std::string without_spaces(std::string text) {
  std::erase(text, ' ');
  return text;
}

// Numbers are stored with their unit last in the field's name.
std::string number_text(std::string_view name, std::uint64_t number) {
  const auto duration = [number](std::uint64_t unit_ns) {
    return without_spaces(number > std::uint64_t{1} << 42
                              ? fmt::format("{}", number)
                              : render::duration_text(static_cast<std::int64_t>(number * unit_ns)));
  };
  if (name.ends_with("_ms")) return duration(1'000'000);
  if (name.ends_with("_us")) return duration(1'000);
  if (name.ends_with("_kib")) return without_spaces(render::bytes_text(number * 1024));
  if (name == "size" || name == "offset" || name.ends_with("_bytes")) {
    return without_spaces(render::bytes_text(number));
  }
  return fmt::format("{}", number);
}

// The unit is shown with the number.
std::string without_unit(std::string_view name) {
  for (const std::string_view unit : {"_ms", "_us", "_kib", "_nanodollars"}) {
    if (name.ends_with(unit)) return std::string(name.substr(0, name.size() - unit.size()));
  }
  return std::string(name);
}

struct Text {
  std::string text;
  Rank rank;
  render::Style style = render::Style::plain;
};

Text value_text(std::string_view name, const reflect::Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return {*flag ? "yes" : "no", Rank::word};
  if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    return {number_text(name, *number), Rank::number};
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (name.ends_with("_nanodollars")) return {render::money_text(*number), Rank::number};
    return {fmt::format("{}", *number), Rank::number};
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return {fmt::format("{}", *real), Rank::number};
  }
  if (const auto* string = std::get_if<std::string_view>(&value)) {
    return {render::one_line(*string),
            string->size() <= name_bytes_max ? Rank::name : Rank::sentence};
  }
  if (const auto* word = std::get_if<reflect::EnumValue>(&value)) {
    if (word->name.empty()) return {fmt::format("{}", word->number), Rank::word};
    return {std::string(word->name), Rank::word, style_of(word->name)};
  }
  if (const auto* raw = std::get_if<reflect::Bytes>(&value)) {
    return {hex(raw->bytes.first(std::min(raw->bytes.size(), digest_bytes_shown))), Rank::body};
  }
  return {"?", Rank::body};
}

// Tables inside the payload are spread into it; references to bodies and processes, which every
// family of events uses, become one short word; lists are joined.
class FieldCollector final : public reflect::Visitor {
 public:
  void begin_object(const reflect::ObjectType& type) override {
    const bool in_list = !frames_.empty() && frames_.back().shape != Shape::table;
    Shape shape = in_list ? Shape::item : Shape::table;
    if (type.short_name() == "BlobRef") shape = Shape::blob;
    if (type.short_name() == "ProcessId") shape = Shape::process;
    frames_.push_back({shape, name_, {}, 0});
  }

  void end_object() override {
    const Frame frame = pop();
    if (frame.shape == Shape::blob) deliver(frame.name, {frame.text, Rank::body});
    if (frame.shape == Shape::process) deliver(frame.name, {frame.text, Rank::number});
    if (frame.shape == Shape::item) deliver(frame.name, {frame.text, Rank::list});
  }

  void begin_array(std::size_t) override { frames_.push_back({Shape::list, name_, {}, 0}); }

  void end_array() override {
    Frame frame = pop();
    if (frame.count == 0) return;
    if (frame.count > list_items_shown) frame.text += fmt::format(",.. ({})", frame.count);
    deliver(frame.name, {std::move(frame.text), Rank::list});
  }

  void field(const reflect::Field& field) override { name_ = field.name; }

  void value(const reflect::Value& value) override { deliver(name_, value_text(name_, value)); }

  std::vector<ShownField> take() { return std::move(fields_); }

 private:
  enum class Shape : std::uint8_t { table, list, item, blob, process };
  struct Frame {
    Shape shape;
    std::string name;  // of the field it is the value of
    std::string text;
    std::size_t count;
  };

  Frame pop() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame;
  }

  void deliver(const std::string& name, Text value) {
    Frame& frame = frames_.back();
    switch (frame.shape) {
      case Shape::table:
        if (!value.text.empty()) {
          fields_.push_back({without_unit(name), std::move(value.text), value.rank, value.style});
        }
        return;
      case Shape::list:
        if (++frame.count <= list_items_shown) {
          frame.text += (frame.count > 1 ? "," : "") + value.text;
        }
        return;
      case Shape::item:
        frame.text += (frame.text.empty() ? "" : ":") + value.text;
        return;
      case Shape::blob:
        if (name == "digest") frame.text = value.text;
        if (name == "size") frame.text += fmt::format("({})", value.text);
        return;
      case Shape::process:
        if (name == "pid") frame.text = value.text;
        return;
    }
  }

  std::vector<Frame> frames_;
  std::vector<ShownField> fields_;
  std::string name_;
};

std::string quoted(const std::string& text) {
  if (!text.empty() && text.find_first_of(" =\"") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::vector<ShownField> payload_fields(const EventView& event) {
  const reflect::Schema& schema = reflect::Schema::embedded_events();
  const auto tag = static_cast<std::int64_t>(event.type());
  const reflect::ObjectType* table = schema.member_table(*schema.root_union(), tag);
  if (table == nullptr) return {};
  FieldCollector collector;
  const Status walked = walk_object(schema, *table, event.body, event.envelope->payload(),
                                    collector, reflect::Defaults::hidden);
  if (!walked.ok()) return {{"damaged", walked.error().what, Rank::word, render::Style::bad}};
  return collector.take();
}

std::string fields_line(std::vector<ShownField> fields, const render::Terminal& terminal) {
  std::ranges::stable_sort(fields, {}, &ShownField::rank);
  std::string line;
  for (const ShownField& field : fields) {
    if (!line.empty()) line += ' ';
    line += styled(terminal, render::Style::dim, field.name + "=");
    line += styled(terminal, field.style, quoted(field.text));
  }
  return line;
}

}  // namespace pievt::tools
