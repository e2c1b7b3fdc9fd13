#include "supervisor/lint/places.h"

#include <vector>

#include <fmt/format.h>

namespace pievt::lint {
namespace {

using plan::JsonKind;
using plan::JsonView;

std::optional<JsonView> member(const std::optional<JsonView>& object, std::string_view key,
                               JsonKind kind) {
  if (!object || object->kind() != JsonKind::object) return std::nullopt;
  const auto found = object->find(key);
  return found && found->kind() == kind ? found : std::nullopt;
}

// The text itself, or the "path" of an entry that is an object.
std::optional<JsonView> entry_of(JsonView list, std::string_view text) {
  if (list.kind() == JsonKind::object) return list;  // one command
  if (list.kind() != JsonKind::array) return std::nullopt;
  for (const JsonView entry : list) {
    if (entry.kind() == JsonKind::string && entry.string() == text) return entry;
    const auto path = member(entry, "path", JsonKind::string);
    if (path && path->string() == text) return path;
    for (const char* nested : {"requiredRegex", "forbiddenRegex"}) {
      const auto patterns = member(entry, nested, JsonKind::array);
      if (!patterns) continue;
      for (const JsonView pattern : *patterns)
        if (pattern.kind() == JsonKind::string && pattern.string() == text) return pattern;
    }
  }
  return std::nullopt;
}

}  // namespace

Places::Places(const plan::Source& source) : source_(source) {
  plan::Problems ignored;
  tree_ = plan::JsonTree::parse(source_, ignored);
}

plan::Source::Position Places::at(const plan::Place& place) const {
  return source_.position(place.offset);
}

std::optional<JsonView> Places::find_job(std::string_view id) const {
  if (!tree_ || tree_->root().kind() != JsonKind::object) return std::nullopt;
  std::vector<JsonView> lists;
  if (const auto jobs = member(tree_->root(), "jobs", JsonKind::array)) lists.push_back(*jobs);
  if (const auto rows = member(tree_->root(), "matrix", JsonKind::array)) lists.push_back(*rows);
  if (const auto rows =
          member(member(tree_->root(), "matrix", JsonKind::object), "rows", JsonKind::array))
    lists.push_back(*rows);
  for (const JsonView list : lists) {
    std::size_t position = 0;
    for (const JsonView entry : list) {
      ++position;
      const auto named = member(entry, "id", JsonKind::string);
      if (named ? named->string() == id : fmt::format("t{:03}", position) == id) return entry;
    }
  }
  return std::nullopt;
}

std::vector<JsonView> Places::contracts(std::string_view job) const {
  std::vector<JsonView> found;
  if (!tree_) return found;
  if (const auto own = member(find_job(job), "acceptance", JsonKind::object)) found.push_back(*own);
  const std::optional<JsonView> root = tree_->root();
  for (const char* key : {"acceptanceTemplate", "acceptanceDefaults"})
    if (const auto common = member(root, key, JsonKind::object)) found.push_back(*common);
  if (const auto defaults =
          member(member(root, "defaults", JsonKind::object), "acceptance", JsonKind::object))
    found.push_back(*defaults);
  return found;
}

plan::Source::Position Places::job(std::string_view id) const {
  const auto found = find_job(id);
  if (found) return at(found->place());
  return tree_ ? at(tree_->root().place()) : plan::Source::Position{1, 1};
}

plan::Source::Position Places::key(std::string_view job_id, std::string_view key) const {
  const auto found = find_job(job_id);
  if (found && found->kind() == JsonKind::object)
    if (const auto value = found->find(key)) return at(value->place());
  if (tree_) {
    const auto defaults = member(tree_->root(), "defaults", JsonKind::object);
    if (defaults)
      if (const auto value = defaults->find(key)) return at(value->place());
  }
  return job(job_id);
}

plan::Source::Position Places::entry(std::string_view job_id, std::string_view key,
                                     std::string_view text) const {
  const std::vector<JsonView> all = contracts(job_id);
  for (const JsonView contract : all)
    if (const auto list = contract.find(key))
      if (const auto found = entry_of(*list, text)) return at(found->place());
  for (const JsonView contract : all)
    if (const auto list = contract.find(key)) return at(list->place());
  return job(job_id);
}

}  // namespace pievt::lint
