// See installed.h.
#include "tools/agent_tools/installed.h"

#include <system_error>

#include "supervisor/plan/json_tree.h"

namespace pievt::tools {
namespace {

using plan::JsonKind;
using plan::JsonView;

// `pi install PATH` writes the path, or an object with it as "source".
std::string path_of(JsonView entry) {
  if (entry.kind() == JsonKind::object)
    if (const auto source = entry.find("source"); source && source->kind() == JsonKind::string)
      return std::string(source->string());
  return entry.kind() == JsonKind::string ? std::string(entry.string()) : std::string();
}

bool is_path(const std::string& text) {
  return text.starts_with('/') || text.starts_with('.');
}

bool is_ours(const std::filesystem::path& path) {
  for (const auto& part : path)
    if (part == "pi-extension" || part == "pievt" || part == "pievt.ts") return true;
  return false;
}

}  // namespace

std::filesystem::path own_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored);
}

std::filesystem::path extension_file(const std::filesystem::path& program) {
  const std::filesystem::path here = program.parent_path();
  for (const char* place : {"../share/pievt/pi-extension/pievt.ts", "pi-extension/pievt.ts"}) {
    std::error_code ignored;
    const std::filesystem::path file = (here / place).lexically_normal();
    if (std::filesystem::is_regular_file(file, ignored)) return file;
  }
  return {};
}

std::vector<std::string> dangling_extensions(const std::string& settings,
                                             const std::filesystem::path& directory) {
  std::vector<std::string> dangling;
  plan::Problems problems;
  const plan::Source source("settings.json", settings);
  const auto tree = plan::JsonTree::parse(source, problems);
  if (!tree || tree->root().kind() != JsonKind::object) return dangling;
  for (const std::string_view key : {"packages", "extensions"}) {
    const auto list = tree->root().find(key);
    if (!list || list->kind() != JsonKind::array) continue;
    for (const JsonView entry : *list) {
      const std::string path = path_of(entry);
      if (!is_path(path) || !is_ours(path)) continue;
      std::error_code ignored;
      if (!std::filesystem::exists(directory / path, ignored)) dangling.push_back(path);
    }
  }
  return dangling;
}

}  // namespace pievt::tools
