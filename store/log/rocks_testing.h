// For tests only: the stores that this process opens from now on live on another file system, one
// that records, fails or lies (tests/fault_fs). Nothing outside tests/ may include this.
#pragma once

#include <memory>

namespace rocksdb {
class FileSystem;
}

namespace pievt {

/// Every later Rocks of this process reads and writes through `files`; null: through the operating
/// system's again. A Rocks that is open keeps the one it was opened with. Not while another thread
/// opens a store.
void use_file_system_for_tests(std::shared_ptr<rocksdb::FileSystem> files);

}  // namespace pievt
