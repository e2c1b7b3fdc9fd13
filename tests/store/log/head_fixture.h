// What the tests of HEAD share: an empty store and short words for its file.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "store/log/head.h"
#include "tests/store/log/temp_store.h"

namespace pievt::test {

inline StoreId store_id(unsigned char last) {
  StoreId id{};
  id[15] = static_cast<std::byte>(last);
  return id;
}

class HeadTest : public testing::Test {
 protected:
  std::filesystem::path head_path() const { return store.path() / "HEAD"; }

  HeadWriter writer(std::uint64_t epoch = 1, const StoreId& id = store_id(1)) const {
    auto opened = HeadWriter::open(store.path(), id, epoch);
    if (!opened.ok()) ADD_FAILURE() << opened.error().what;
    return std::move(*opened);
  }

  HeadWaiter waiter() const {
    auto opened = HeadWaiter::open(store.path());
    if (!opened.ok()) ADD_FAILURE() << opened.error().what;
    return std::move(*opened);
  }

  // The sequence in HEAD; nothing if there is no valid one.
  std::optional<std::uint64_t> committed() const {
    const auto value = read_head(store.path());
    EXPECT_TRUE(value.ok());
    if (!value.ok() || !*value) return std::nullopt;
    return (*value)->committed;
  }

  std::string content() const {
    std::ifstream file(head_path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  }
  void write_content(const std::string& bytes) const {
    std::ofstream(head_path(), std::ios::binary | std::ios::trunc) << bytes;
  }

  TempDirectory store;
};

}  // namespace pievt::test
