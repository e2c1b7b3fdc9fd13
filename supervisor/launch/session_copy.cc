#include "supervisor/launch/session_copy.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "supervisor/process/fd.h"

namespace pievt::launch {
namespace {

Error no_header() {
  return {Errc::invalid, "the session of the attempt before has no header, so it cannot go on"};
}

}  // namespace

Result<std::string> session_for(std::string_view text, const std::string& cwd) {
  const std::size_t whole = text.rfind('\n');
  if (whole == std::string_view::npos) return no_header();
  text = text.substr(0, whole + 1);
  const std::size_t end = text.find('\n');
  rapidjson::Document header;
  header.Parse<rapidjson::kParseIterativeFlag>(text.data(), end);
  if (header.HasParseError() || !header.IsObject()) return no_header();
  const auto type = header.FindMember("type");
  if (type == header.MemberEnd() || !type->value.IsString() ||
      std::string_view(type->value.GetString()) != "session")
    return no_header();
  header.RemoveMember("cwd");
  header.AddMember("cwd", rapidjson::StringRef(cwd.data(), cwd.size()), header.GetAllocator());
  rapidjson::StringBuffer line;
  rapidjson::Writer<rapidjson::StringBuffer> writer(line);
  header.Accept(writer);
  return std::string(line.GetString(), line.GetSize()).append(text.substr(end));
}

Status write_session(const std::filesystem::path& path, std::string_view text) {
  const process::Fd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return os_error(fmt::format("cannot make {}", path.string()), errno);
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return os_error(fmt::format("cannot write {}", path.string()), errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace pievt::launch
