// See finder.h.
#include "supervisor/secrets/finder.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "supervisor/secrets/rules.h"

namespace pievt::secrets {
namespace {

std::size_t pair_of(char first, char second) {
  return static_cast<std::size_t>(static_cast<unsigned char>(first)) |
         static_cast<std::size_t>(static_cast<unsigned char>(second)) << 8;
}

// How a value stands in a JSON text, where that differs.
std::string json_escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

struct Finder::Match {
  std::string rule;
  std::size_t begin = 0, end = 0;
  std::string_view prefix{};
};

bool is_secret_variable(std::string_view name, std::string_view value) {
  constexpr std::size_t bytes_min = 8, bytes_max = 8192;
  if (value.size() < bytes_min || value.size() > bytes_max) return false;
  if (value[0] == '/' || value.find("://") != std::string_view::npos || is_placeholder(value))
    return false;
  if (std::ranges::none_of(value, is_digit) && value.size() < 12) return false;
  if (!secret_name(name).empty()) return true;
  constexpr std::array<std::string_view, 4> endings{"_KEY", "_PAT", "_PASS", "_PWD"};
  return std::ranges::any_of(endings, [&](std::string_view end) { return name.ends_with(end); });
}

Finder::Finder(std::vector<KnownSecret> known) : begins_(std::make_unique<std::bitset<65536>>()) {
  for (KnownSecret& secret : known) {
    if (secret.value.size() < 8) continue;
    std::string escaped = json_escaped(secret.value);
    if (escaped != secret.value) known_.push_back({secret.name, std::move(escaped)});
    known_.push_back(std::move(secret));
  }
  std::ranges::stable_sort(known_, std::ranges::greater{},
                           [](const KnownSecret& secret) { return secret.value.size(); });
  for (const KnownSecret& secret : known_) begins_->set(pair_of(secret.value[0], secret.value[1]));
  for (std::size_t i = 0; i < format_count(); ++i)
    begins_->set(pair_of(format_literal(i)[0], format_literal(i)[1]));
  for (unsigned second = 0; second < 256; ++second) {
    begins_->set(pair_of(':', static_cast<char>(second)));
    begins_->set(pair_of('=', static_cast<char>(second)));
  }
}

Finder::Match Finder::match_at(std::string_view text, std::size_t at) const {
  const std::string_view here = text.substr(at);
  for (const KnownSecret& secret : known_)
    if (here.starts_with(secret.value))
      return {fmt::format("value of {}", secret.name), at, at + secret.value.size()};
  if (const auto format = format_at(text, at))
    return {std::string(format->rule), format->begin, format->end, format->prefix};
  if (here[0] == ':' || here[0] == '=') {
    if (const auto named = named_value_at(text, at))
      return {std::string(named->rule), named->begin, named->end};
  }
  return {};
}

std::vector<Found> Finder::find(std::string_view text) const {
  std::vector<Found> all;
  if (text.size() < 2) return all;
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    if (!begins_->test(pair_of(text[at], text[at + 1]))) continue;
    Match match = match_at(text, at);
    if (match.end <= match.begin) continue;
    // A name in front of a well-known key says less than the key itself.
    if (match.begin > at) {
      if (Match inner = match_at(text, match.begin); inner.end > inner.begin)
        match = std::move(inner);
    }
    at = match.end - 1;
    all.push_back(
        {std::move(match.rule), match.begin, match.end - match.begin, std::string(match.prefix)});
  }
  return all;
}

std::string masked(std::string_view text, const std::vector<Found>& found) {
  std::string out;
  std::size_t done = 0;
  for (const Found& each : found) {
    out += text.substr(done, each.offset - done);
    out += fmt::format("[masked {}]", each.rule);
    done = each.offset + each.size;
  }
  out += text.substr(done);
  return out;
}

}  // namespace pievt::secrets
