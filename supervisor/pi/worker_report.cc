#include "supervisor/pi/worker_report.h"

#include <algorithm>
#include <array>

#include <simdjson.h>

#include <fmt/format.h>

#include "supervisor/pi/text.h"

namespace pievt::pi {
namespace {

namespace dom = simdjson::dom;

Error wrong(std::string_view what) {
  return {Errc::invalid, fmt::format("the report is not valid: {}", what)};
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> known) {
  return std::ranges::find(known, word) != known.end();
}

std::optional<std::string_view> text_at(const dom::object& object, std::string_view key) {
  std::string_view text;
  if (object[key].get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

// A list that may be left out. `see` says whether an entry is one.
template <class See>
Status each(const dom::object& report, std::string_view key, std::string& text, See see) {
  const auto value = report[key];
  if (value.error() == simdjson::NO_SUCH_FIELD) {
    text += "[]";
    return {};
  }
  dom::array list;
  if (value.get_array().get(list) != simdjson::SUCCESS)
    return wrong(fmt::format("\"{}\" must be a list", key));
  for (const dom::element entry : list) {
    dom::object object;
    if (entry.get_object().get(object) != simdjson::SUCCESS || !see(object))
      return wrong(fmt::format("an entry of \"{}\" is not one", key));
  }
  text += simdjson::minify(list);
  return {};
}

}  // namespace

Result<WorkerReport> read_worker_report(std::string_view json, std::string_view job) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(json.data(), json.size()).get_object().get(object) != simdjson::SUCCESS)
    return wrong("it must be an object of JSON");
  std::int64_t version = 0;
  if (object["schemaVersion"].get_int64().get(version) != simdjson::SUCCESS || version != 1)
    return wrong("\"schemaVersion\" must be 1");
  if (const auto named = text_at(object, "jobId"); named && *named != job)
    return wrong(fmt::format("it is the report of another job, {}", utf8_excerpt(*named, 60)));
  WorkerReport report;
  report.attempt = text_at(object, "attemptId").value_or("");
  report.status = text_at(object, "status").value_or("");
  if (!is_one_of(report.status, {"completed", "partial", "blocked", "error"}))
    return wrong("\"status\" must be completed, partial, blocked or error");
  report.summary = text_at(object, "summary").value_or("");
  if (visible_characters(report.summary) == 0) return wrong("\"summary\" must not be blank");
  report.user_action = text_at(object, "userActionRequired").value_or("");
  report.text = report.summary + "\n";
  PIEVT_TRY(each(object, "deliverables", report.text, [&](const dom::object& item) {
    const auto path = text_at(item, "path"), kind = text_at(item, "kind");
    if (!path || path->empty() || !kind) return false;
    if (!is_one_of(*kind, {"file", "dir", "note", "command"})) return false;
    report.deliverables.push_back({std::string(*path), std::string(*kind)});
    return true;
  }));
  report.text += "\n";
  PIEVT_TRY(each(object, "evidence", report.text, [&](const dom::object& item) {
    const auto value = text_at(item, "value"), kind = text_at(item, "kind");
    if (!value || !kind || !is_one_of(*kind, {"file", "command", "text"})) return false;
    if (visible_characters(*value) > 0) ++report.evidence;
    return true;
  }));
  return report;
}

ToolEffect effect_of(std::string_view tool) {
  if (tool == "write" || tool == "edit") return ToolEffect::write;
  return tool == "bash" ? ToolEffect::shell : ToolEffect::none;
}

std::optional<std::string> written_path(std::string_view arguments_json) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(arguments_json.data(), arguments_json.size()).get_object().get(object) !=
      simdjson::SUCCESS)
    return std::nullopt;
  for (const std::string_view key : {"path", "file_path"})
    if (const auto path = text_at(object, key)) return std::string(*path);
  return std::nullopt;
}

}  // namespace pievt::pi
