// The parts an HTML report is put together from. What they say about failures is the audit's report
// (tools/audit/report.h) and nothing of their own, so that the page and `pievt audit` agree.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/run_story.h"
#include "tools/audit/report.h"
#include "tools/exporters/exporter.h"
#include "tools/render/writer.h"

namespace pievt::tools::html {

/// Text for an element or an attribute in double quotes. Control characters become visible.
std::string escaped(std::string_view text);

/// A sign for each status, so that it can be told without colour, and the class of its colour.
std::string_view glyph_of(schema::JobStatus status);
std::string_view class_of(schema::JobStatus status);

/// How a job stands to what went wrong.
enum class Standing : std::uint8_t {
  fine,     ///< it succeeded, was cancelled, or is not over
  failed,   ///< on its own account
  follows,  ///< it never began because another one failed
};
Standing standing_of(schema::JobStatus status);

/// The place of a job's cause in the report; -1 where it has none.
int cause_of(const audit::RunReport& report, std::uint32_t job);

/// What was found of the writes of an attempt, one line each.
using Writes = std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::string>>;

/// How much text the page carries, as it stands in the file, and how much it had to leave out.
struct TextBudget {
  std::uint64_t left = 8u << 20;
  std::uint64_t shortened = 0;
  std::uint64_t absent = 0;
};

/// What the parts are made from.
struct Page {
  const Export& work;
  const RunState& run;
  const RunStory& story;
  const audit::RunReport& report;
};

/// How it ended: name, verdict, a block for each job, counts, cost, time, how far to believe it.
std::string verdict_strip(const Page& page);
/// What only a person can do, and what came to light: blocked workers, leaked secrets.
std::string needs_you(const Page& page);
/// First causes, the one with most jobs first, what follows from them folded, and the command that
/// runs their jobs again.
std::string cause_cards(const Page& page);
/// A row for each job, what failed first.
std::string jobs_table(const Page& page);
/// What the page does not contain, what is not known, the account.
std::string foot(const Page& page, const TextBudget& budget);

/// Text that is safe inside a script element: no end of the element, no comment and no markup can
/// be in it. A long run's is as long as its page, so it is kept in pieces, and only once.
class ScriptText final : public render::Writer {
 public:
  void write(std::string_view text) override;
  void flush() override {}
  bool done() const override { return false; }

  /// Hands all of it on, and keeps nothing.
  void move_to(render::Writer& out);

 private:
  void append(std::string_view text);
  std::deque<std::string> pieces_;
};

/// What the script draws from, as one JSON object.
Status page_data(Export& work, const RunStory& story, const audit::RunReport& report,
                 const Writes& writes, TextBudget& budget, ScriptText& to);

}  // namespace pievt::tools::html
