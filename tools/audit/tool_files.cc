#include "tools/audit/tool_files.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include <simdjson.h>

#include "supervisor/pi/worker_report.h"

namespace pievt::audit {
namespace {

using Json = simdjson::dom::element;

/// Of all calls of a run together, and of one call.
constexpr std::size_t calls_max = 2'000;
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
    const bool read = load(call, arguments);
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

 private:
  bool load(const story::ToolCall& call, Json& arguments) {
    if (!call.arguments || call.arguments->size() > arguments_max || ++calls_ > calls_max)
      return false;
    const auto bytes = read_(*call.arguments);
    if (!bytes.ok()) return false;
    return parser_.parse(reinterpret_cast<const char*>(bytes->data()), bytes->size())
                   .get(arguments) == simdjson::SUCCESS &&
           arguments.is_object();
  }

  const ReadBlob& read_;
  simdjson::dom::parser parser_;
  std::size_t calls_ = 0;
};

}  // namespace

std::map<std::uint32_t, std::vector<ToolFile>> tool_files(const ReadBlob& read,
                                                          const RunStory& story) {
  std::map<std::uint32_t, std::vector<ToolFile>> all;
  Reader reader(read);
  for (const story::Job& job : story.jobs) {
    Files files;
    for (const std::uint32_t place : job.attempts) {
      const story::Attempt& attempt = story.attempts[place];
      for (const story::ToolCall& call : attempt.tools) reader.call(files, attempt, call);
    }
    for (Written& written : files.list) {
      if (written.text) {
        written.file.bytes = written.text->size();
        written.file.repeated = most_repeated(*written.text);
      }
      all[job.number].push_back(std::move(written.file));
    }
  }
  return all;
}

}  // namespace pievt::audit
