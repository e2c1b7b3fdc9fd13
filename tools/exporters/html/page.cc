// The page as a whole: head, what can be read without the script (page_text.cc), the picture that
// the script draws from the data (page_data.cc).
//
// Agents' output is hostile. Every text is escaped or goes in by textContent, and the page's own
// policy allows nothing but the one style and the one script whose digests it names.
#include "tools/exporters/html/page.h"

#include <fmt/format.h>

#include "store/format/hash.h"
#include "tools/audit/build.h"
#include "tools/exporters/base64.h"
#include "tools/exporters/html/page_assets.h"
#include "tools/exporters/html/page_parts.h"
#include "tools/exporters/story_of.h"

namespace pievt::tools {
namespace {

/// Of one attempt, in the side panel.
constexpr std::size_t writes_max = 200;

constexpr std::string_view picture =
    "<div class=\"picture\"><h2>Timeline</h2>\n<div class=\"legend\" aria-hidden=\"true\">"
    "<span><i class=\"slot\"></i>waits for a slot or other jobs</span>"
    "<span><i class=\"start\"></i>starting</span><span><i class=\"model\"></i>model</span>"
    "<span><i class=\"tool\"></i>tool</span>"
    "<span><i class=\"wait\"></i>waits for the provider</span>"
    "<span><b class=\"bad\">|</b> provider error</span>"
    "<span><b class=\"ok\">\u25c6</b> gate met, <b class=\"bad\">\u25c6</b> barred: not met</span>"
    "<span>\u2506 through all: supervisor lost, stop, throttle</span>"
    "<span>\u2248 folded: nothing ran</span></div>\n"
    "<div id=\"picture\"><canvas id=\"axis\"></canvas><div id=\"rows\" tabindex=\"0\" "
    "role=\"application\" aria-label=\"Timeline of jobs. Arrow keys move, Enter opens.\">"
    "<div id=\"space\"><canvas id=\"fall\"></canvas></div></div>"
    "<canvas id=\"curves\"></canvas><div id=\"tip\"></div></div>"
    "<p id=\"said\" class=\"dim\" aria-live=\"polite\"></p></div>\n"
    "<aside id=\"panel\" hidden aria-label=\"Details of a job\"></aside>\n";

std::string source_digest(std::string_view text) {
  const Digest digest = sha256(std::as_bytes(std::span(text)));
  std::string coded;
  append_base64(coded, digest);
  return coded;
}

std::string head(std::string_view title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "script-src 'sha256-{}'; style-src 'sha256-{}'; style-src-attr 'none'; base-uri 'none'; "
      "form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<title>{} - pievt</title>\n<style>{}</style></head><body>\n",
      source_digest(html::page_script), source_digest(html::page_style), html::escaped(title),
      html::page_style);
}

class Html final : public Exporter {
 public:
  explicit Html(Export& work) : work_(work) {}

  Status event(const EventView& event) override {
    const auto* observed = event.envelope->payload_as_WritesObserved();
    walked_ = walked_ || observed != nullptr;
    if (observed == nullptr || observed->writes() == nullptr) return {};
    auto& lines = writes_[{event.head().job(), event.head().attempt()}];
    for (const schema::Write* write : *observed->writes()) {
      if (lines.size() == writes_max) lines.emplace_back("and more; pievt writes has them all");
      if (lines.size() > writes_max) break;
      lines.push_back(fmt::format("{} {}, {}, {} (#{})", write->path()->string_view(),
                                  schema::EnumNameWriteChange(write->change()),
                                  schema::EnumNameAttribution(write->attribution()),
                                  schema::EnumNameWriteZone(write->zone()),
                                  event.revision().value));
    }
    return {};
  }

  Status end() override {
    const audit::Material material = PIEVT_TRY(audit::gather(work_.source));
    const audit::RunReport report = audit::build_report(material, {});
    const RunStory& story = material.story;
    for (const audit::WriteRow& write : report.writes) add_named(write);
    html::TextBudget budget;
    html::ScriptText data;
    PIEVT_TRY(html::page_data(work_, story, report, writes_, budget, data));
    work_.manifest.items_out = work_.state.jobs.size() + story.attempts.size();
    const html::Page page{work_, work_.state, story, report};
    work_.out.write(head(report.name));
    work_.out.write(html::verdict_strip(page));
    work_.out.write(html::needs_you(page));
    work_.out.write(html::cause_cards(page));
    work_.out.write(picture);
    work_.out.write(html::jobs_table(page));
    work_.out.write(html::foot(page, budget));
    work_.out.write("<script type=\"application/json\" id=\"data\">");
    data.move_to(work_.out);
    work_.out.write("</script>\n<script>");
    work_.out.write(html::page_script);
    work_.out.write("</script>\n</body></html>\n");
    return {};
  }

 private:
  // A path that a tool call names; those that a walk of the trees showed are there already.
  void add_named(const audit::WriteRow& write) {
    if (walked_) return;
    auto& lines = writes_[{write.job, write.attempt}];
    if (lines.size() >= writes_max) return;
    lines.push_back(
        fmt::format("{} {}, {}, {}{}", write.path, write.change, write.attribution, write.zone,
                    write.events.empty() ? "" : fmt::format(" (#{})", write.events.front())));
  }

  Export& work_;
  bool walked_ = false;
  html::Writes writes_;
};

}  // namespace

bool carried_by_html(schema::Payload type) {
  return carried_by_story(type) || type == schema::Payload::WritesObserved;
}

std::unique_ptr<Exporter> make_html(Export& work) {
  return std::make_unique<Html>(work);
}

}  // namespace pievt::tools
