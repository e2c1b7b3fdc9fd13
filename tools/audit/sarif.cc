// SARIF 2.1.0 (OASIS, 2020). A result is a cause, a weak success, a secret, a write outside its
// zone or a broken rule; it lies in the run, so its place is a logical one, and for a write the
// file too.
#include <array>

#include <fmt/format.h>

#include "tools/audit/json.h"
#include "tools/audit/text.h"

namespace pievt::audit {
namespace {

using render::JsonWriter;

struct RuleRow {
  std::string_view id, level, text;
};
constexpr std::array rule_rows = {
    RuleRow{"first-cause", "error", "Jobs failed, and this is why."},
    RuleRow{"weak-success", "warning", "A job succeeded on little evidence."},
    RuleRow{"secret", "error", "Something that looks like a secret reached the record."},
    RuleRow{"write-outside", "error", "A path changed where the attempt may not write."},
    RuleRow{"policy", "error", "A rule of the policy was broken."},
    RuleRow{"needs-you", "error", "Only a person can do this."},
    RuleRow{"record", "warning", "A part of the record is missing or damaged."},
};

class Results {
 public:
  Results(JsonWriter& json, const RunReport& report) : json_(json), report_(report) {}

  void write() {
    for (const Cause& cause : report_.causes) {
      std::string text = cause.title;
      if (!cause.seen.empty()) text += ": " + cause.seen;
      for (const std::uint32_t job : cause.jobs) result("first-cause", text, cause.events, job);
    }
    for (const Usable& usable : report_.usable) {
      if (!usable.accepted) continue;
      for (const Finding& weak : usable.weak)
        result("weak-success", weak.text, weak.events, usable.job);
    }
    for (const Secret& secret : report_.secrets) {
      result("secret", fmt::format("{}... in {}", secret.prefix, secret.where), secret.events,
             secret.job);
    }
    for (const WriteRow& row : report_.writes) {
      if (is_harmless(row)) continue;
      result("write-outside", fmt::format("{} {} ({})", row.path, row.change, row.zone), row.events,
             row.job, row.path);
    }
    for (const Violation& broken : report_.violations)
      result("policy", fmt::format("{}: {}", broken.rule, broken.text), broken.events, broken.job);
    for (const Finding& need : report_.needs_you) result("needs-you", need.text, need.events, 0);
    if (report_.integrity == Integrity::whole) return;
    for (const Finding& finding : report_.record) result("record", finding.text, finding.events, 0);
  }

 private:
  void result(std::string_view rule, const std::string& text, const Events& events,
              std::uint32_t job, const std::string& path = {}) {
    std::size_t index = 0;
    while (rule_rows[index].id != rule) ++index;
    const std::string names = events_text(events);
    json_.begin_object()
        .member("ruleId", rule)
        .member("ruleIndex", index)
        .member("level", rule_rows[index].level);
    json_.key("message")
        .begin_object()
        .member("text", names.empty() ? text : fmt::format("{} ({})", text, names))
        .end_object();
    json_.key("locations").begin_array().begin_object();
    if (!path.empty()) {
      json_.key("physicalLocation")
          .begin_object()
          .key("artifactLocation")
          .begin_object()
          .member("uri", uri_of(path))
          .end_object()
          .end_object();
    }
    const std::string name =
        job == 0 ? report_.run_id : fmt::format("{}/{}", report_.run_id, job_id(report_, job));
    json_.key("logicalLocations")
        .begin_array()
        .begin_object()
        .member("fullyQualifiedName", name)
        .member("kind", "member")
        .end_object()
        .end_array();
    json_.end_object().end_array();
    json_.key("properties").begin_object().key("events").begin_array();
    for (const std::uint64_t event : events) json_.value(event);
    json_.end_array().end_object().end_object();
  }

  // RFC 3986: what may not stand in a path is escaped.
  static std::string uri_of(std::string_view path) {
    std::string uri;
    for (const char c : path) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                         (c >= 'A' && c <= 'Z') ||
                         std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string_view::npos;
      uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return uri;
  }

  JsonWriter& json_;
  const RunReport& report_;
};

}  // namespace

void write_sarif(JsonWriter& json, std::span<const RunReport> reports,
                 std::string_view pievt_version) {
  json.begin_object()
      .member("version", "2.1.0")
      .member("$schema",
              "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
              "sarif-schema-2.1.0.json")
      .key("runs")
      .begin_array();
  for (const RunReport& report : reports) {
    json.begin_object().key("tool").begin_object().key("driver").begin_object();
    json.member("name", "pievt").member("version", pievt_version).key("rules").begin_array();
    for (const RuleRow& rule : rule_rows) {
      json.begin_object().member("id", rule.id).key("shortDescription").begin_object();
      json.member("text", rule.text).end_object().end_object();
    }
    json.end_array().end_object().end_object();
    json.key("automationDetails").begin_object().member("id", report.run_id).end_object();
    json.key("results").begin_array();
    Results(json, report).write();
    json.end_array().end_object();
  }
  json.end_array().end_object();
}

}  // namespace pievt::audit
