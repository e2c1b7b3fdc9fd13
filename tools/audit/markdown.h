// A report for a ticket or a wiki: GitHub's Markdown, nothing folded away that text.h shows.
#pragma once

#include <string>

#include "tools/audit/text.h"

namespace pievt::audit {

/// What comes from agents and plans cannot become markup.
std::string report_markdown(const RunReport& report, const RunStory& story, const TextStyle& style);

}  // namespace pievt::audit
