// What stands behind an output: a terminal or not, how wide, with colours or not. It is described
// once, when the program starts, and handed on as a value; nothing else asks the system. Styles
// have names here; which codes they become is this file's business alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pievt::render {

enum class ColorChoice : std::uint8_t { automatic, always, never };

struct Terminal {
  bool is_tty = false;
  int width = 80;   ///< columns; without a terminal only a default for wrapping prose, never for
                    ///< cutting data
  int height = 24;  ///< lines
  bool color = false;
  bool utf8 = true;  ///< whether more than ASCII can be shown

  /// What marks a text that was cut.
  std::string_view cut_mark() const { return utf8 ? "\u2026" : "..."; }
};

/// Reads a variable of the environment: nullptr when it is not set. `::getenv` in the program, a
/// table in tests.
using Environment = const char* (*)(const char* name);

/// What the kernel says about a descriptor. Zero means that it does not know.
struct DescriptorFacts {
  bool is_tty = false;
  int width = 0;
  int height = 0;
};

DescriptorFacts ask_descriptor(int fd);

/// The pure decision. Width: COLUMNS when it is a number from 20 to 1000, else the kernel's,
/// else 80. Colour: the choice; `automatic` means a terminal, TERM not `dumb` and not empty, and
/// NO_COLOR absent or empty. UTF-8: the first of LC_ALL, LC_CTYPE, LANG that is not empty names it;
/// when none is set, yes.
Terminal describe_terminal(const DescriptorFacts& facts, ColorChoice choice,
                           Environment environment);

enum class Style : std::uint8_t { plain, good, bad, warn, dim, bold, heading };

/// `text` in a style, or as it is when the terminal shows no colours. Never contains more than SGR
/// sequences.
std::string styled(const Terminal& terminal, Style style, std::string_view text);

}  // namespace pievt::render
