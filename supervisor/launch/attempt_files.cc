// See attempt_files.h.
#include "supervisor/launch/attempt_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "supervisor/launch/directory.h"
#include "supervisor/launch/remove_tree.h"

namespace pievt::launch {
namespace {

constexpr std::size_t component_bytes_max = 100;

/// How often the way down is begun anew when a directory on it vanished: the files of an attempt
/// that has ended go at the same time, with directories that are empty then.
constexpr int ways_max = 100;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_safe_component(std::string_view id) {
  return !id.empty() && id.size() <= component_bytes_max && is_letter_or_digit(id.front()) &&
         std::ranges::all_of(
             id, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

/// The directories from the store down to the attempt's parent.
std::array<std::string, 3> parents_of(const AttemptName& name) {
  return {"attempts", path_component(name.run), path_component(name.job)};
}

Status check_store(const std::filesystem::path& store) {
  if (store.is_absolute()) return {};
  return Error{Errc::invalid,
               fmt::format("the store's path '{}' is relative; a child would look for its files in "
                           "its own directory",
                           store.string())};
}

/// The attempt's own directory, made below those of its run and job.
Result<process::Fd> make_own_directory(int store, const std::filesystem::path& store_path,
                                       const AttemptName& name, const AttemptFiles& files) {
  std::optional<process::Fd> parent;
  std::filesystem::path shown = store_path;
  for (const std::string& part : parents_of(name)) {
    shown /= part;
    parent =
        PIEVT_TRY(make_directory(parent ? parent->get() : store, part, shown, Existing::accept));
  }
  return make_directory(parent->get(), std::to_string(name.number), files.directory,
                        Existing::refuse);
}

}  // namespace

std::string path_component(std::string_view id) {
  if (is_safe_component(id)) return std::string(id);
  return "~" + hex(sha256(std::as_bytes(std::span(id.data(), id.size()))));
}

AttemptFiles attempt_files(const std::filesystem::path& store, const AttemptName& name) {
  AttemptFiles out;
  out.directory = store;
  for (const std::string& part : parents_of(name)) out.directory /= part;
  out.directory /= std::to_string(name.number);
  out.prompt = out.directory / "prompt.txt";
  out.output = out.directory / "stdout";
  out.error = out.directory / "stderr";
  out.session = out.directory / "session.jsonl";
  out.agent_directory = out.directory / "agent";
  out.temporary_directory = out.directory / "tmp";
  return out;
}

Result<AttemptFiles> create_attempt_files(const std::filesystem::path& store,
                                          const AttemptName& name, std::string_view prompt) {
  PIEVT_TRY(check_store(store));
  AttemptFiles out = attempt_files(store, name);
  const process::Fd top = PIEVT_TRY(open_directory(store));
  Result<process::Fd> made = make_own_directory(top.get(), store, name, out);
  for (int way = 1; way < ways_max && !made.ok() && made.error().code == Errc::not_found; ++way)
    made = make_own_directory(top.get(), store, name, out);
  const process::Fd own = PIEVT_TRY(std::move(made));
  PIEVT_TRY(write_new_file(own.get(), "prompt.txt", prompt, out.prompt));
  PIEVT_TRY(write_new_file(own.get(), "stdout", "", out.output));
  PIEVT_TRY(write_new_file(own.get(), "stderr", "", out.error));
  PIEVT_TRY(make_directory(own.get(), "agent", out.agent_directory, Existing::refuse));
  PIEVT_TRY(make_directory(own.get(), "tmp", out.temporary_directory, Existing::refuse));
  return out;
}

Status remove_attempt_files(const std::filesystem::path& store, const AttemptName& name) {
  PIEVT_TRY(check_store(store));
  const auto parts = parents_of(name);
  std::vector<process::Fd> way;
  way.push_back(PIEVT_TRY(open_directory(store)));
  std::filesystem::path shown = store;
  for (const std::string& part : parts) {
    shown /= part;
    auto next = enter_directory(way.back().get(), part, shown);
    if (!next.ok() && next.error().code == Errc::not_found) break;
    way.push_back(PIEVT_TRY(std::move(next)));
  }
  if (way.size() == parts.size() + 1)
    PIEVT_TRY(remove_tree(way.back().get(), std::to_string(name.number),
                          attempt_files(store, name).directory));
  // The job's directory, then the run's: what other attempts are in stays.
  for (std::size_t i = way.size() - 1; i >= 2; --i)
    if (::unlinkat(way[i - 1].get(), parts[i - 1].c_str(), AT_REMOVEDIR) != 0) break;
  return {};
}

}  // namespace pievt::launch
