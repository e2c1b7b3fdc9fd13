// Texts that are missing or damaged in a store, for tests of what is told of them.
#pragma once

#include <string>
#include <string_view>

#include "store/log/blob_store.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"
#include "tests/store/log/temp_store.h"

namespace pievt {

class HarmedTextsTest : public StoreTest {
 protected:
  enum class Harm : bool { take_out, change };

  /// Does it to what is stored of `text`, behind the store's back. Opens the log anew.
  void harm(std::string_view text, Harm how) {
    const std::string key = blob_key(from_schema(log().keyed_digest(text)));
    close();
    auto rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never).value();
    WriteSet set(rocks);
    if (how == Harm::take_out) {
      set.remove(Family::blobs, key);
    } else {
      std::string value = *rocks.get(Family::blobs, key).value();
      value.back() = static_cast<char>(value.back() ^ 1);
      set.put(Family::blobs, key, value);
    }
    ASSERT_TRUE(rocks.write(std::move(set), Durability::fsync).ok());
    ASSERT_TRUE(rocks.close().ok());
    open(OpenMode::write);
  }
};

}  // namespace pievt
