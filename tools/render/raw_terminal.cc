#include "tools/render/raw_terminal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "tools/render/width.h"

namespace pievt::render {
namespace {

constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view leave = "\x1b[?25h\x1b[?1049l";
constexpr std::array ending_signals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// What a signal handler needs to leave the terminal as it was; it can be given nothing.
struct Saved {
  int in = -1, out = -1;
  termios before{};
  std::array<struct sigaction, 4> handlers{};
  struct sigaction window {};
};
Saved saved;
volatile std::sig_atomic_t resized = 0;

void restore() {
  static_cast<void>(!::write(saved.out, leave.data(), leave.size()));
  ::tcsetattr(saved.in, TCSANOW, &saved.before);
}

extern "C" void on_ending_signal(int number) {
  restore();
  // The default action ends the program by this very signal once the handler returns.
  ::signal(number, SIG_DFL);
  ::raise(number);
}

extern "C" void on_resize(int) {
  resized = 1;
}

}  // namespace

RawTerminal::RawTerminal(int in, int out, const Terminal& terminal)
    : in_(in), out_(out), terminal_(terminal) {
  if (!terminal.is_tty || ::isatty(in) == 0 || ::isatty(out) == 0) return;
  if (::tcgetattr(in, &saved.before) != 0) return;
  saved.in = in;
  saved.out = out;
  full_screen_ = true;
  struct sigaction action {};
  action.sa_handler = on_ending_signal;
  for (std::size_t i = 0; i < ending_signals.size(); ++i)
    ::sigaction(ending_signals[i], &action, &saved.handlers[i]);
  action.sa_handler = on_resize;  // without SA_RESTART: it wakes whoever waits for a key
  ::sigaction(SIGWINCH, &action, &saved.window);
  termios raw = saved.before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(in, TCSANOW, &raw);
  static_cast<void>(!::write(out, enter.data(), enter.size()));
}

RawTerminal::~RawTerminal() {
  if (!full_screen_) return;
  restore();
  for (std::size_t i = 0; i < ending_signals.size(); ++i)
    ::sigaction(ending_signals[i], &saved.handlers[i], nullptr);
  ::sigaction(SIGWINCH, &saved.window, nullptr);
}

bool RawTerminal::byte(char& c, int timeout_ms, Key::Kind& otherwise) {
  pollfd wait{in_, POLLIN, 0};
  const int ready = ::poll(&wait, 1, timeout_ms);
  if (ready < 0 && errno == EINTR) {
    otherwise = resized != 0 ? Key::Kind::resized : Key::Kind::timeout;
    resized = 0;
    const DescriptorFacts facts = ask_descriptor(out_);
    if (facts.width > 0) terminal_.width = facts.width;
    if (facts.height > 0) terminal_.height = facts.height;
    return false;
  }
  if (ready == 0) {
    otherwise = Key::Kind::timeout;
    return false;
  }
  otherwise = Key::Kind::end;
  return ready > 0 && ::read(in_, &c, 1) == 1;
}

Key RawTerminal::read(int timeout_ms) {
  char c = 0;
  Key key;
  for (;;) {
    if (!byte(c, timeout_ms, key.kind)) return key;
    // In a script a line end only separates keys.
    if (full_screen_ || c != '\n') break;
  }
  if (c != '\x1b') return {Key::Kind::character, c == '\r' || c == '\n' ? ' ' : c};
  Key::Kind ignored{};
  std::string sequence;
  constexpr int within_ms = 50;
  while (sequence.size() < 8 && byte(c, within_ms, ignored)) {
    sequence += c;
    if (sequence.size() > 1 && ((c >= 'A' && c <= 'Z') || c == '~')) break;
  }
  struct Row {
    std::string_view sequence;
    Key::Kind kind;
  };
  constexpr Row rows[] = {{"[A", Key::Kind::up},       {"[B", Key::Kind::down},
                          {"[C", Key::Kind::right},    {"[D", Key::Kind::left},
                          {"[H", Key::Kind::home},     {"[F", Key::Kind::end_key},
                          {"[5~", Key::Kind::page_up}, {"[6~", Key::Kind::page_down},
                          {"OH", Key::Kind::home},     {"OF", Key::Kind::end_key}};
  for (const Row& row : rows)
    if (row.sequence == sequence) return {row.kind, 0};
  return {Key::Kind::character, '\x1b'};
}

std::string RawTerminal::read_line(std::string_view prompt) {
  std::string line;
  for (;;) {
    if (full_screen_) {
      const std::string shown = "\r\x1b[2K" + std::string(prompt) + line;
      static_cast<void>(!::write(out_, shown.data(), shown.size()));
    }
    char c = 0;
    Key::Kind otherwise{};
    if (!byte(c, -1, otherwise)) {
      if (otherwise == Key::Kind::end) return line;
      continue;
    }
    if (c == '\n' || c == '\r') return line;
    if (c == '\x1b') return {};
    if (c == '\x7f' || c == '\b') {
      if (!line.empty()) line.pop_back();
    } else if (static_cast<unsigned char>(c) >= 0x20 && line.size() < 500) {
      line += c;
    }
  }
}

void RawTerminal::show(Writer& out, const std::vector<std::string>& lines, std::size_t skip) {
  if (!full_screen_) {
    for (const std::string& line : lines) out.line(line);
    out.line("");
    out.flush();
    return;
  }
  std::string picture = "\x1b[H";
  const auto height = static_cast<std::size_t>(std::max(terminal_.height, 2));
  // The last line (the keys) always has its place.
  const std::size_t body = lines.size() - 1;
  const std::size_t from = std::min(skip, body > height - 1 ? body - (height - 1) : 0);
  for (std::size_t i = from; i < std::min(body, from + height - 1); ++i)
    picture += cut_to_width(lines[i], terminal_.width, terminal_.cut_mark()) + "\x1b[K\r\n";
  picture += "\x1b[J";
  picture += "\x1b[" + std::to_string(height) + ";1H" +
             cut_to_width(lines.back(), terminal_.width, terminal_.cut_mark()) + "\x1b[K";
  out.write(picture);
  out.flush();
}

}  // namespace pievt::render
