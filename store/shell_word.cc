#include "pievt/shell_word.h"

#include <fmt/format.h>

namespace pievt {

std::string shell_word(const std::filesystem::path& path) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:=@%";
  // A word that begins with a dash would be an option.
  const std::string text = (path.string().starts_with('-') ? "./" : "") + path.string();
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string store_command(std::string_view verb, const std::filesystem::path& store) {
  if (store.empty()) return fmt::format("pievt {}", verb);
  return fmt::format("pievt {} --store {}", verb, shell_word(store));
}

std::string salvage_command(const std::filesystem::path& store) {
  return fmt::format("pievt salvage {} DEST", shell_word(store));
}

}  // namespace pievt
