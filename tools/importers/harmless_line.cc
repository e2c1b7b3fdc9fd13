#include "tools/importers/harmless_line.h"

#include "supervisor/capture/excerpt.h"
#include "supervisor/secrets/finder.h"

namespace pievt::tools {
namespace {

const secrets::Finder& finder() {
  static const secrets::Finder instance;
  return instance;
}

// `sk-live-` of `sk-live-0000-...`: words before a dash, and less than half of it.
std::string beginning_of(std::string_view secret) {
  constexpr std::size_t most = 8;
  const std::size_t dash = secret.substr(0, most).rfind('-');
  if (dash == std::string_view::npos || (dash + 1) * 2 > secret.size()) return "";
  return std::string(secret.substr(0, dash + 1));
}

}  // namespace

std::string harmless_line(std::string_view text) {
  const auto found = finder().find(text);
  return supervisor::one_line(found.empty() ? std::string(text) : secrets::masked(text, found));
}

std::vector<schema::SecretFoundT> secrets_in(std::string_view text) {
  std::vector<schema::SecretFoundT> all;
  for (const secrets::Found& found : finder().find(text)) {
    schema::SecretFoundT& event = all.emplace_back();
    event.rule = found.rule;
    event.offset = found.offset;
    event.size = found.size;
    event.prefix =
        found.prefix.empty() ? beginning_of(text.substr(found.offset, found.size)) : found.prefix;
  }
  return all;
}

}  // namespace pievt::tools
