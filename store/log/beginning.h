// Whether the log of a store has yet to be made, or has been there and is gone.
#pragma once

#include "pievt/result.h"
#include "store/log/writer_role.h"

namespace pievt {

/// True: nobody has written an event to this store, and a log may be made in it. Between STORE and
/// the log's first commit a creator can die; whoever comes next simply goes on.
///
/// corrupt: the log's directory has files that hold events and lacks the one that names them, or
/// events were in it and it is empty (a disk that is not mounted). A new log in their place would
/// begin another history under the name of the old one, and RocksDB removes files it does not know.
Result<bool> log_is_new(const StorePlace& place);

}  // namespace pievt
