#include "tools/importers/jsonl_check.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "tools/exporters/exporter.h"
#include "tools/exporters/jsonl.h"
#include "tools/importers/json_fields.h"
#include "tools/importers/jsonl_lines.h"

namespace pievt::tools::jsonl {
namespace {

// A run's id is a part of names of streams and directories.
bool is_run_id(std::string_view id) {
  return !id.empty() && id.size() <= 100 && id.front() != '.' &&
         std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

class Checker {
 public:
  Result<Contents> read(ExportLines& lines) {
    while (PIEVT_TRY(lines.next())) {
      ++found_.lines;
      if (complete_) return lines.at_line({Errc::corrupt, "there are lines behind the manifest"});
      if (const Status status = take(lines); !status.ok()) return lines.at_line(status.error());
    }
    if (!complete_)
      return lines.at_line({Errc::corrupt, "the file ends before its manifest: it was cut off"});
    found_.bytes = lines.bytes();
    return std::move(found_);
  }

 private:
  Status take(const ExportLines& lines) {
    const Json& line = lines.line();
    const std::string_view record = lines.record();
    if ((found_.lines == 1) != (record == "header"))
      return Error{Errc::corrupt, "the header is the first line of an export, and only that"};
    if (record == "header") return header(line);
    if (record == "actor") {
      found_.stamps.actors.push_back(PIEVT_TRY(parse_actor(line)));
      return {};
    }
    if (record == "blob") return blob(line);
    if (record == "output") {
      PIEVT_TRY(OutputLine::parse(line));
      return {};
    }
    if (record == "event") return event(line);
    if (record == "manifest") return manifest(line);
    return Error{Errc::too_new, fmt::format("there is no record `{}`; a later version wrote this, "
                                            "import it with that",
                                            record)};
  }

  Status header(const Json& line) {
    if (text_in(line, "schema") != jsonl_schema)
      return Error{Errc::corrupt, "that is no export of pievt"};
    if (count_in(line, "schema_version") != static_cast<std::uint64_t>(jsonl_schema_version))
      return Error{Errc::too_new, "a later version wrote this; import it with that"};
    found_.run_id = text_or_empty(line, "run");
    found_.stamps.first = {1};
    if (!is_run_id(found_.run_id)) return Error{Errc::corrupt, "its run has no proper id"};
    return {};
  }

  Status blob(const Json& line) {
    BlobLine part = PIEVT_TRY(BlobLine::parse(line));
    if (part.offset != done_ || part.offset + part.content.size() > part.size ||
        (part.offset != 0 && part.sha256 != expected_))
      return Error{Errc::corrupt, "the parts of a text do not follow each other"};
    expected_ = part.sha256;
    sum_.update(part.content);
    done_ += part.content.size();
    if (done_ < part.size) return {};
    done_ = 0;
    if (hex(sum_.finish()) != expected_)
      return Error{Errc::corrupt, "a text is not what was exported"};
    return {};
  }

  Status event(const Json& line) {
    const EventLine event = PIEVT_TRY(EventLine::parse(line));
    const EventView view = event.view();
    if (view.revision().value != found_.events + 1)
      return Error{Errc::corrupt,
                   fmt::format("event #{} follows #{}", view.revision().value, found_.events)};
    if (!view.known())
      return Error{Errc::too_new, fmt::format("event #{} is of a type of a later version; import "
                                              "it with that",
                                              view.revision().value)};
    ++found_.events;
    found_.stamps.stamps.push_back(event.original());
    digest_.add(view);
    apply(found_.state, view);
    return {};
  }

  Status manifest(const Json& line) {
    complete_ = true;
    found_.events_digest = digest_.hex();
    if (done_ != 0) return Error{Errc::corrupt, "the end of a text is missing"};
    if (count_in(line, "events_in") != found_.events ||
        text_in(line, "events_sha256") != found_.events_digest)
      return Error{Errc::corrupt, "its events are not those that were exported"};
    return {};
  }

  Contents found_;
  EventsDigest digest_;
  Sha256 sum_;
  std::string expected_;
  std::uint64_t done_ = 0;  ///< of the text that is being read
  bool complete_ = false;
};

}  // namespace

Result<Contents> check(const std::filesystem::path& path) {
  ExportLines lines = PIEVT_TRY(ExportLines::open(path));
  return Checker().read(lines);
}

}  // namespace pievt::tools::jsonl
