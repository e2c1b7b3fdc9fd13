#include "tools/verbs/bodies.h"

#include <string_view>

#include "tools/render/sanitise.h"

namespace pievt::tools {

BodyWriter::BodyWriter(Context& context)
    : context_(context),
      form_(context.terminal.is_tty && !context.arguments.has("--raw") ? Form::harmless
                                                                       : Form::raw) {}

void BodyWriter::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (form_ == Form::raw) {
    context_.out.write(text);
  } else {
    context_.out.write(render::sanitise(text, render::Lines::many));
  }
  at_line_start_ = text.back() == '\n';
}

void BodyWriter::finish() {
  if (form_ == Form::harmless && !at_line_start_) context_.out.write("\n");
}

}  // namespace pievt::tools
