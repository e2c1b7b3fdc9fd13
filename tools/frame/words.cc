// The prose of help pages is short: clarity before speed.
#include "tools/frame/words.h"

#include <algorithm>

#include "tools/render/width.h"

namespace pievt::tools {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.empty()) parts.emplace_back();
  }
  return parts;
}

std::string join(std::span<const std::string_view> words, std::string_view between) {
  std::string joined;
  for (const std::string_view& word : words) {
    if (&word != words.data()) joined += between;
    joined += word;
  }
  return joined;
}

std::string wrap(std::string_view text, int width, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string out;
  std::string line;
  const auto end_line = [&] {
    if (!line.empty()) out += margin + line + '\n';
    line.clear();
  };
  for (const std::string_view source : split(text, '\n')) {
    if (source.empty() || source.front() == ' ') {
      end_line();
      out += source.empty() ? "\n" : margin + std::string(source) + '\n';
      continue;
    }
    for (const std::string_view word : split(source, ' ')) {
      const int used = render::display_width(line);
      if (!line.empty() && indent + used + 1 + render::display_width(word) > width) end_line();
      if (!line.empty()) line += ' ';
      line += word;
    }
  }
  end_line();
  return out;
}

}  // namespace pievt::tools
