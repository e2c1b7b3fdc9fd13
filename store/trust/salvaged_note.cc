#include "store/trust/salvaged_note.h"

#include <charconv>
#include <fstream>
#include <string_view>

#include <fmt/format.h>

namespace pievt {
namespace {

constexpr std::string_view lost_texts_words = "texts and chunks of output lost: ";

}  // namespace

std::string lost_texts_line(std::uint64_t texts) {
  return fmt::format("{}{}\n", lost_texts_words, texts);
}

std::uint64_t texts_lost_to_damage(const std::filesystem::path& store) {
  std::ifstream in(store / salvaged_file);
  std::uint64_t sum = 0;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(lost_texts_words)) continue;
    std::uint64_t count = 0;
    std::from_chars(line.data() + lost_texts_words.size(), line.data() + line.size(), count);
    sum += count;
  }
  return sum;
}

}  // namespace pievt
