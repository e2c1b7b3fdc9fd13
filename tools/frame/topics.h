// What `pievt help` explains besides verbs.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tools/render/terminal.h"

namespace pievt::tools {

struct Topic {
  std::string_view name;
  std::string_view title;
  /// Paragraphs as in Manual::details.
  std::string_view text;
};

/// Sorted by name.
std::span<const Topic> topics();

/// The page of a topic; that of `exit-codes` ends with the table of codes.
std::string topic_page(const Topic& topic, const render::Terminal& terminal);

}  // namespace pievt::tools
