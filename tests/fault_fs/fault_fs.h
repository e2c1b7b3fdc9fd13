// RocksDB's way into the journal: a file system that hands everything on to the operating system's,
// one recorded operation at a time, and lets the journal decide what goes wrong.
//
// Only public headers of RocksDB (rocksdb/file_system.h): Debian's library has a
// FaultInjectionTestFS inside, but no header for it.
#pragma once

#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace pievt::faults {

/// Records into Journal::current(), which must be there whenever a store is used. For
/// use_file_system_for_tests().
std::shared_ptr<rocksdb::FileSystem> make_fault_fs();

}  // namespace pievt::faults
