// How the log's database is set up, of which each line was measured or learnt from a failure; for
// rocks.cc alone, which says what is done with it.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include "store/log/rocks.h"

namespace pievt::rocks_options {

inline constexpr std::array<const char*, family_count> family_names = {
    "log", "streams", "ids", "index", "projections", "blobs", "schemas", "meta"};

/// Null outside tests, and then RocksDB's own. Shared with every Rocks that was opened with it.
std::shared_ptr<rocksdb::Env>& env();

/// The default family first, then ours in order; they share a cache.
std::vector<rocksdb::ColumnFamilyDescriptor> families();

/// RocksDB otherwise writes a LOG file beside the data and rotates it; a reader must write nothing
/// at all.
std::shared_ptr<rocksdb::Logger> no_log();

/// What readers and the writer have in common.
rocksdb::DBOptions base();
rocksdb::DBOptions writer(Rocks::Create create);

}  // namespace pievt::rocks_options
