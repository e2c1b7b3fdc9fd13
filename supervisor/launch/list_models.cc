#include "supervisor/launch/list_models.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "supervisor/launch/probe_directory.h"

namespace pievt::launch {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds time_max{30};

std::vector<std::string> words_of(std::string_view line) {
  std::istringstream stream{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return (std::ostringstream() << file.rdbuf()).str();
}

}  // namespace

std::set<std::string> models_in(std::string_view table) {
  std::set<std::string> models;
  std::size_t provider = std::string::npos, model = std::string::npos;
  while (!table.empty()) {
    const std::size_t end = table.find('\n');
    const std::vector<std::string> words = words_of(table.substr(0, end));
    table.remove_prefix(end == std::string_view::npos ? table.size() : end + 1);
    if (model == std::string::npos) {
      for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "provider") provider = i;
        if (words[i] == "model") model = i;
      }
      if (provider == std::string::npos) model = std::string::npos;
    } else if (words.size() > std::max(provider, model)) {
      models.insert(words[model]);
      models.insert(words[provider] + "/" + words[model]);
    }
  }
  return models;
}

std::string model_name(std::string_view model) {
  const std::size_t colon = model.rfind(':');
  if (colon == std::string_view::npos) return std::string(model);
  constexpr std::array levels = {"off", "minimal", "low", "medium", "high", "xhigh"};
  for (const char* level : levels)
    if (model.substr(colon + 1) == level) return std::string(model.substr(0, colon));
  return std::string(model);
}

Result<std::set<std::string>> list_models(const std::string& program,
                                          const std::vector<process::Variable>& environment) {
  const ProbeDirectory probe = PIEVT_TRY(ProbeDirectory::create());
  const fs::path& directory = probe.path();
  process::SpawnRequest request;
  request.argv = {program, "--list-models"};
  request.environment = environment;
  request.cwd = directory;
  request.output = process::OutputFile{directory / "stdout"};
  request.error = process::OutputFile{directory / "stderr"};
  process::Spawned pi = PIEVT_TRY(process::spawn(request));
  if (!pi.process.wait_for_end(process::Clock::now() + time_max))
    static_cast<void>(pi.process.signal(SIGKILL));
  pi.process.wait_for_end(process::Clock::now() + time_max);
  static_cast<void>(pi.process.reap());
  std::set<std::string> models = models_in(content_of(directory / "stdout"));
  if (models.empty()) models = models_in(content_of(directory / "stderr"));
  if (models.empty())
    return Error{Errc::unsupported, fmt::format("{} --list-models names none", program)};
  return models;
}

}  // namespace pievt::launch
