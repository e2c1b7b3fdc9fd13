// See session_file.h.
#include "supervisor/pi/session_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "supervisor/pi/limits.h"
#include "supervisor/pi/vocabulary.h"

namespace pievt::pi {

SessionReader::SessionReader(std::uint64_t from_offset)
    : from_offset_(from_offset), splitter_({}) {}

void SessionReader::feed(std::string_view chunk) {
  splitter_.feed(chunk, [this](const Line& line) { see(line); });
}

SessionTail SessionReader::finish() {
  splitter_.finish([this](const Line& line) { see(line); });
  return std::exchange(tail_, {});
}

void SessionReader::see(const Line& line) {
  if (line.bytes.empty() || line.bytes == "\r") return;
  if (line.kind == LineKind::whole) {
    if (auto entry = parser_.session_entry(line.bytes)) {
      return see_entry(std::move(*entry), line.start);
    }
    tail_.bad_lines += 1;
    if (auto entry = entry_in(line.bytes)) see_entry(std::move(*entry), line.start);
    return;
  }
  tail_.bad_lines += 1;
}

// The record 0.73 glued to the torn bytes of the one before it. Only entries that have an id are
// believed: blocks of content inside a torn record have none.
std::optional<SessionEntry> SessionReader::entry_in(std::string_view line) {
  std::size_t position = 0;
  for (int tries = 0; tries < limits::recovery_tries_max; ++tries) {
    position = line.find(event_beginning, position + 1);
    if (position == std::string_view::npos) return std::nullopt;
    auto entry = parser_.session_entry(line.substr(position));
    if (entry && !entry->id.empty()) return entry;
  }
  return std::nullopt;
}

void SessionReader::see_entry(SessionEntry&& entry, LineStart at) {
  if (entry.type == "session") {
    if (tail_.headers == 0) {
      tail_.session_id = std::move(entry.id);
      tail_.cwd = std::move(entry.cwd);
    }
    tail_.headers += 1;
    return;
  }
  if (!entry.id.empty() && !ids_.insert(std::hash<std::string>{}(entry.id)).second) {
    tail_.repeated_entries += 1;
    return;
  }
  tail_.entries += 1;
  if (at.offset < from_offset_ || entry.type != "message" || !entry.message) return;
  if (entry.message->role == Role::user) tail_.last_assistant.reset();
  if (entry.message->role == Role::assistant) tail_.last_assistant = summary_of(*entry.message);
}

Result<SessionTail> read_session_tail(const std::filesystem::path& path,
                                      std::uint64_t from_offset) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file{std::fopen(path.c_str(), "rbe")};
  if (!file) return os_error("cannot open session file " + path.string(), errno);
  SessionReader reader{from_offset};
  std::vector<char> chunk(std::size_t{256} << 10);
  while (true) {
    const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), file.get());
    reader.feed({chunk.data(), size});
    if (size == chunk.size()) continue;
    if (std::ferror(file.get()) != 0) {
      return os_error("cannot read session file " + path.string(), errno);
    }
    return reader.finish();
  }
}

}  // namespace pievt::pi
