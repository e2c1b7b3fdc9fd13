// A writer looks before it leaps: whether the indexes lead to the end of the log.
//
// They are derived and can be made anew, but a writer that believed an empty one would write a
// retried append a second time, or begin a stream that exists. Losing an index means losing all of
// it (single entries are guarded by checksums), so a look at the last page is enough and costs a
// few reads.
#pragma once

#include <optional>

#include "pievt/result.h"
#include "store/log/rocks.h"
#include "store/log/stored_page.h"

namespace pievt {

/// Ok when `streams` and `index` lead to what is in `last`, as far as a reader needs them; corrupt
/// otherwise. Of a secondary: as of its last catch_up(), and perhaps only until the next.
Status check_stream_index(const Rocks& rocks, const StoredPage& last);

/// Ok when `ids`, `streams` and `index` lead to what is in `last`, the log's last page, and are
/// empty where there is none; corrupt otherwise, with what to do.
Status check_indexes(const Rocks& rocks, const std::optional<StoredPage>& last);

/// The last sequence of the highest page that the index of streams leads to; 0 where it is empty.
/// Reads the whole index: for when something is wrong already.
Result<std::uint64_t> highest_indexed_page(const Rocks& rocks);

}  // namespace pievt
