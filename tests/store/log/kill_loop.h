// What the kill loop's test and its players know in common: the diaries.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "pievt/ids.h"

namespace pievt::test {

struct Diary {
  std::uint64_t acked = 0;  ///< up to here the worker's appends were acknowledged
  std::uint64_t tried = 0;  ///< the last one it began
  AppendId id;              ///< of the last one
};

Diary read_diary(const std::filesystem::path& path);
std::filesystem::path diary_of(const std::filesystem::path& store, const std::string& worker);

}  // namespace pievt::test
