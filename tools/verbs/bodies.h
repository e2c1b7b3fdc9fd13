// Bodies to stdout: byte for byte into pipes and files, harmless on a terminal.
#pragma once

#include <cstddef>
#include <span>

#include "tools/frame/context.h"

namespace pievt::tools {

/// What an agent wrote may drive the terminal, so there control characters are shown instead of
/// obeyed, unless `--raw` of the verb asks otherwise.
class BodyWriter {
 public:
  enum class Form : std::uint8_t { raw, harmless };
  explicit BodyWriter(Context& context);

  void write(std::span<const std::byte> bytes);

  /// Ends the last line on a terminal, so that the prompt does not stick to it.
  void finish();

 private:
  Context& context_;
  Form form_;
  bool at_line_start_ = true;
};

}  // namespace pievt::tools
