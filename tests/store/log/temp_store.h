// A store in a directory of its own, and the few words log tests are written in.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pievt/log.h"

namespace pievt {

/// A directory that is gone when the test is over.
class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// An event that carries one text, and the text back.
NewEvent text_event(std::string text);
std::string text_of(const EventView& event);

std::vector<std::string> types(EventReader reader);
std::vector<std::uint64_t> sequences(EventReader reader);
std::vector<std::string> texts_of(const Log& log, std::string_view stream,
                                  Direction direction = Direction::forward);

class StoreTest : public testing::Test {
 protected:
  const std::filesystem::path& directory() const { return directory_.path(); }
  std::filesystem::path store() const { return directory() / "store"; }

  void open(OpenMode mode = OpenMode::create);
  void close() { log_.reset(); }
  void reopen() {
    close();
    open(OpenMode::write);
  }
  Log open_reader() const;
  Log& log() { return *log_; }

  Appended append(std::string_view stream, std::vector<std::string> texts,
                  const AppendOptions& options = {});
  std::vector<std::string> texts(std::string_view stream,
                                 Direction direction = Direction::forward) {
    return texts_of(log(), stream, direction);
  }

 private:
  TempDirectory directory_;
  std::optional<Log> log_;
};

}  // namespace pievt
