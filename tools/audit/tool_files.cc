#include "tools/audit/tool_files.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include <simdjson.h>

#include "supervisor/pi/worker_report.h"
#include "tools/audit/shell_targets.h"

namespace pievt::audit {
namespace {

using Json = simdjson::dom::element;

/// Of all writing calls of a run together, as many of its shell's, and of one call.
constexpr std::size_t calls_max = 2'000;
constexpr std::size_t shell_files_max = 1'000;
constexpr std::uint64_t arguments_max = 1u << 20;

/// A file and, while every call to it was understood, its text.
struct Written {
  ToolFile file;
  std::optional<std::string> text;
};

struct Files {
  std::vector<Written> list;
  std::unordered_map<std::string, std::size_t> places;

  Written& find(const std::string& path) {
    const auto [place, fresh] = places.emplace(path, list.size());
    if (fresh) list.emplace_back().file.path = path;
    return list[place->second];
  }
};

std::string_view text_in(const Json& of, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    std::string_view found;
    if (of.at_key(key).get(found) == simdjson::SUCCESS) return found;
  }
  return {};
}

bool replace_once(std::string& text, std::string_view from, std::string_view to) {
  const std::size_t at = from.empty() ? std::string::npos : text.find(from);
  if (at == std::string::npos) return false;
  text.replace(at, from.size(), to);
  return true;
}

// pi's edit: a list of replacements, or (older) one in the call itself.
bool edit(std::string& text, const Json& arguments) {
  simdjson::dom::array edits;
  if (arguments.at_key("edits").get(edits) != simdjson::SUCCESS) {
    return replace_once(text, text_in(arguments, {"oldText", "old_string"}),
                        text_in(arguments, {"newText", "new_string"}));
  }
  for (const Json each : edits) {
    if (!replace_once(text, text_in(each, {"oldText", "old_string"}),
                      text_in(each, {"newText", "new_string"})))
      return false;
  }
  return true;
}

std::uint64_t most_repeated(std::string_view text) {
  std::array<std::uint64_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  return *std::ranges::max_element(counts);
}

class Reader {
 public:
  explicit Reader(const ReadBlob& read) : read_(read) {}

  void call(Files& files, const story::Attempt& attempt, const story::ToolCall& call) {
    if (pi::effect_of(call.tool) != pi::ToolEffect::write) return;
    Json arguments;
    const bool read = load(call, arguments, calls_);
    std::string path =
        read ? std::string(text_in(arguments, {"path", "file_path"})) : std::string(call.subject);
    if (path.empty()) path = call.subject;
    Written& written = files.find(path);
    written.file.attempt = attempt.number;
    if (call.is_error || call.span.open()) {
      written.file.failed.push_back(call.span.begin.revision);
      written.file.repaired_by.reset();
      return;
    }
    if (!written.file.failed.empty() && !written.file.repaired_by)
      written.file.repaired_by = call.span.begin.revision;
    written.file.calls.push_back(call.span.begin.revision);
    if (!read) {
      written.text.reset();
    } else if (call.tool == "write") {
      written.text = std::string(text_in(arguments, {"content"}));
    } else if (written.text && !edit(*written.text, arguments)) {
      written.text.reset();
    }
  }

  void shell(std::vector<ShellFile>& files, const story::Attempt& attempt,
             const story::ToolCall& call) {
    if (pi::effect_of(call.tool) != pi::ToolEffect::shell || files.size() >= shell_files_max)
      return;
    // Most commands send nothing anywhere, and their first line shows it.
    const bool cut = call.arguments && call.arguments->size() > call.subject.size() + 64;
    const bool names_some = call.subject.find('>') != std::string_view::npos ||
                            call.subject.find("tee") != std::string_view::npos;
    if (!cut && !names_some) return;
    Json arguments;
    std::string_view command = call.subject;
    if (load(call, arguments, shell_calls_)) {
      if (const auto whole = text_in(arguments, {"command", "cmd"}); !whole.empty())
        command = whole;
    }
    for (std::string& path : shell_targets(command)) {
      const auto same = [&](const ShellFile& file) {
        return file.path == path && file.attempt == attempt.number;
      };
      if (std::ranges::none_of(files, same))
        files.push_back({std::move(path), attempt.number, call.span.begin.revision});
    }
  }

 private:
  bool load(const story::ToolCall& call, Json& arguments, std::size_t& calls) {
    if (!call.arguments || call.arguments->size() > arguments_max || ++calls > calls_max)
      return false;
    const auto bytes = read_(*call.arguments);
    if (!bytes.ok()) return false;
    return parser_.parse(reinterpret_cast<const char*>(bytes->data()), bytes->size())
                   .get(arguments) == simdjson::SUCCESS &&
           arguments.is_object();
  }

  const ReadBlob& read_;
  simdjson::dom::parser parser_;
  std::size_t calls_ = 0, shell_calls_ = 0;
};

}  // namespace

FilesOfTools tool_files(const ReadBlob& read, const RunStory& story) {
  FilesOfTools all;
  Reader reader(read);
  for (const story::Job& job : story.jobs) {
    Files files;
    std::vector<ShellFile> named;
    for (const std::uint32_t place : job.attempts) {
      const story::Attempt& attempt = story.attempts[place];
      for (const story::ToolCall& call : attempt.tools) {
        reader.call(files, attempt, call);
        reader.shell(named, attempt, call);
      }
    }
    if (!named.empty()) all.shell[job.number] = std::move(named);
    for (Written& written : files.list) {
      if (written.text) {
        written.file.bytes = written.text->size();
        written.file.repeated = most_repeated(*written.text);
      }
      all.written[job.number].push_back(std::move(written.file));
    }
  }
  return all;
}

}  // namespace pievt::audit
