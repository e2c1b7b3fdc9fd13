// See jobs_settings.h.
#include "supervisor/settings/jobs_settings.h"

#include <algorithm>
#include <filesystem>

#include "supervisor/plan/text.h"

namespace pievt::settings {
namespace {

using plan::JsonKind;
using plan::JsonView;

std::optional<JsonView> member(std::optional<JsonView> object, std::string_view key,
                               JsonKind kind) {
  if (!object || object->kind() != JsonKind::object) return std::nullopt;
  const auto found = object->find(key);
  return found && found->kind() == kind ? found : std::nullopt;
}

std::uint32_t wave(std::optional<JsonView> waves, std::string_view key, std::uint32_t otherwise) {
  const auto found = member(waves, key, JsonKind::number);
  const auto number = found ? found->whole_number() : std::nullopt;
  return number && *number >= 1 && *number <= 100 ? static_cast<std::uint32_t>(*number) : otherwise;
}

bool flag(std::optional<JsonView> object, std::string_view key) {
  const auto found = member(object, key, JsonKind::boolean);
  return !found || found->boolean();
}

}  // namespace

JobsSettings normalise_jobs_settings(JsonView root) {
  JobsSettings out;
  const auto waves = member(root, "waveGuidance", JsonKind::object);
  out.guidance.waves = flag(waves, "enabled");
  out.guidance.wave_min = wave(waves, "min", out.guidance.wave_min);
  out.guidance.wave_max =
      std::max(out.guidance.wave_min, wave(waves, "max", out.guidance.wave_max));
  out.guidance.sync_first = flag(root, "syncFirstGuidance");
  const auto include =
      member(member(root, "workerExtensions", JsonKind::object), "include", JsonKind::array);
  if (!include) return out;
  for (const JsonView entry : *include) {
    if (entry.kind() != JsonKind::string) continue;
    std::string path(plan::trimmed(entry.string()));
    if (path.empty() || std::ranges::find(out.extensions, path) != out.extensions.end()) continue;
    out.extensions.push_back(std::move(path));
  }
  return out;
}

void apply_jobs_settings(const JobsSettings& from, const std::string& directory,
                         Settings& settings) {
  settings.guidance = from.guidance;
  for (std::string path : from.extensions) {
    if (path.starts_with('.')) {
      path = (std::filesystem::path(directory) / path).lexically_normal().string();
    }
    auto& all = settings.worker_extensions;
    if (std::ranges::find(all, path) == all.end()) all.push_back(std::move(path));
  }
}

}  // namespace pievt::settings
