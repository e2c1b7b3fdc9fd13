// Where rendered text goes: a file descriptor, or a string in tests. Data goes to one writer
// (stdout), talk to another (stderr), and nothing else in tools/ writes anywhere.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace pievt::render {

class Writer {
 public:
  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  virtual ~Writer() = default;

  /// Takes `text`. It never fails visibly: a failed writer swallows what comes after, and whoever
  /// owns the writer asks for the error at the end.
  virtual void write(std::string_view text) = 0;

  /// Hands everything taken so far to the reader. Needed after each line of something that follows.
  virtual void flush() = 0;

  /// True when nobody can read any more (closed pipe, full disk): whoever produces without end
  /// should stop.
  virtual bool done() const = 0;

  template <class... T>
  void print(fmt::format_string<T...> format, T&&... values) {
    write(fmt::format(format, std::forward<T>(values)...));
  }
  void line(std::string_view text) {
    write(text);
    write("\n");
  }
};

/// Writes to a descriptor it does not own, 64 KiB at a time. Interrupted and would-block writes are
/// taken up again. The destructor does not flush: the end of a program is not a place to meet an
/// error.
class FdWriter final : public Writer {
 public:
  explicit FdWriter(int fd) : fd_(fd) {}

  void write(std::string_view text) override;
  void flush() override;
  bool done() const override { return error_ != 0; }

  /// The errno of the first write that failed, 0 when none did. EPIPE means the reader went away.
  int error() const { return error_; }

  int fd() const { return fd_; }

  /// From now on writes to another descriptor; what was taken before went to the old one. Clears
  /// nothing but the error.
  void redirect(int fd);

 private:
  int fd_;
  int error_ = 0;
  std::string buffer_;
};

class StringWriter final : public Writer {
 public:
  void write(std::string_view text) override { text_ += text; }
  void flush() override {}
  bool done() const override { return false; }
  const std::string& text() const { return text_; }
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

}  // namespace pievt::render
