// See ids.h.
#include "supervisor/plan/ids.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/plan/limits.h"

namespace pievt::plan {
namespace {

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_id_character(char c) {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_safe_id(std::string_view id) {
  return !id.empty() && id.size() <= limits::id_bytes_max && is_alphanumeric(id[0]) &&
         std::ranges::all_of(id, is_id_character);
}

std::string made_safe(std::string_view text) {
  std::string id;
  for (const char c : text) {
    if (is_id_character(c)) {
      id += c;
    } else if (!id.ends_with('-')) {
      id += '-';  // one for a whole run: "ä" is two bytes
    }
  }
  const auto first = std::ranges::find_if(id, is_alphanumeric);
  id.erase(id.begin(), first);
  id.resize(std::min(id.size(), limits::id_bytes_max));
  while (id.ends_with('-')) id.pop_back();
  return id.empty() ? "file" : id;
}

std::string generated_id(std::size_t number) {
  return fmt::format("t{:03}", number);
}

}  // namespace pievt::plan
