// A terminal taken over as a whole: another screen, keys one by one, the cursor hidden. Whatever
// ends the program, a signal included, the terminal is left as it was found. Without a terminal
// there is nothing to take over: keys are bytes of standard input, and pictures are paragraphs,
// which is how tests and scripts use it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/render/terminal.h"
#include "tools/render/writer.h"

namespace pievt::render {

struct Key {
  enum class Kind : std::uint8_t {
    character,
    up,
    down,
    left,
    right,
    page_up,
    page_down,
    home,
    end_key,
    timeout,
    resized,
    end,  ///< no more keys will come
  } kind = Kind::end;
  char character = 0;

  bool is(char c) const { return kind == Kind::character && character == c; }
};

/// One at a time in a process.
class RawTerminal {
 public:
  /// Takes the terminal over where both descriptors are one. They must stay open.
  RawTerminal(int in, int out, const Terminal& terminal);
  ~RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  bool full_screen() const { return full_screen_; }
  const Terminal& terminal() const { return terminal_; }

  /// The next key; waits at most so long (-1: for ever).
  Key read(int timeout_ms);

  /// A line that the user types, up to its end; Escape gives it up. `prompt` stands in the last
  /// line.
  std::string read_line(std::string_view prompt);

  /// The picture: on a terminal cut to its size, `skip` lines from the top left out; elsewhere all
  /// of it and an empty line.
  void show(Writer& out, const std::vector<std::string>& lines, std::size_t skip = 0);

 private:
  bool byte(char& c, int timeout_ms, Key::Kind& otherwise);

  int in_, out_;
  Terminal terminal_;
  bool full_screen_ = false;
};

}  // namespace pievt::render
