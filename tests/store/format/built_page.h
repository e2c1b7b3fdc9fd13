// Pages for tests, put together from segments that a test may change before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "store/format/page.h"

namespace pievt::format {

/// One segment as values. `header` says how much of each there is.
struct SegmentPlan {
  CommitHeader header{};
  std::vector<StreamEntry> streams;
  std::vector<schema::Stamp> stamps;
  std::span<const std::byte> bodies;
};

/// One page of segments that fit it; moves `chain` on.
inline std::vector<std::byte> build_page(const PageHeader& header,
                                         std::span<const SegmentPlan> segments, Digest& chain) {
  PageBuilder builder;
  for (const SegmentPlan& segment : segments) {
    const SegmentSpace space = builder.add(segment.header);
    std::ranges::copy(segment.streams, space.streams.begin());
    std::ranges::copy(segment.stamps, space.stamps.begin());
    std::ranges::copy(segment.bodies, space.bodies.begin());
    builder.close(chain);
  }
  const auto page = builder.finish(header);
  return {page.begin(), page.end()};
}

}  // namespace pievt::format
