// Reads where attempts work and what is brought there.
#include <fmt/format.h>

#include "supervisor/plan/parse_parts.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

constexpr std::string_view carry_rule = "a list of paths or {\"path\": …, \"how\": …} objects";

void read_carried(const Field& field, JsonView entry, std::vector<WrittenCarry>& into) {
  WrittenCarry carried;
  if (entry.kind() == JsonKind::string) {
    carried.path = text_of(entry);
    return into.push_back(std::move(carried));
  }
  const auto wrong = [&](const Place& place, std::string_view sentence) {
    field.problems.add(place, fmt::format("\"carry\" in {} {}", field.label, sentence));
  };
  if (entry.kind() != JsonKind::object) return wrong(entry.place(), "must be a list of paths");
  for (const JsonView member : entry) {
    const bool text = member.kind() == JsonKind::string;
    if (member.key() == "path" && text) {
      carried.path = text_of(member);
    } else if (member.key() == "how" && text && member.string() == "link") {
      carried.how = CarriedPath::How::link;
    } else if (member.key() != "how" || !text || member.string() != "copy") {
      wrong(member.key_place(), "has entries with \"path\" and, as \"how\", \"copy\" or \"link\"");
    }
  }
  if (!carried.path.was_read()) return wrong(entry.place(), "has an entry without \"path\"");
  into.push_back(std::move(carried));
}

}  // namespace

void read_isolation(const Field& field, Written& into) {
  const auto word = field.text();
  if (!word) return;
  if (word->value == "shared")
    into.isolation = Isolation::shared;
  else if (word->value == "worktree")
    into.isolation = Isolation::worktree;
  else
    field.wrong(fmt::format("must be \"shared\" or \"worktree\", not {}", shown(word->value)));
}

void read_carry(const Field& field, Written& into) {
  if (!field.is(JsonKind::array, carry_rule)) return;
  into.carry.emplace();
  for (const JsonView entry : field.value) read_carried(field, entry, *into.carry);
}

}  // namespace pievt::plan
