// The raw output of an attempt, byte for byte, in a thousandth of its size.
//
// A channel (stdout, stderr, session file) is a chain of chunks. Each is compressed with the end of
// the chunk before it as its dictionary, because pi up to 0.73 repeats everything it has said in
// every line: 273 MB for an answer of 64 KiB. A chain begins anew every 64 MiB and whenever a
// supervisor takes over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "pievt/query.h"

namespace pievt {

/// How many bytes to collect before they are written, where there is time: larger chunks are not
/// packed better.
inline constexpr std::size_t output_chunk_bytes = 2u << 20;

/// Which channel of which attempt. `run` is a run's id.
struct OutputKey {
  std::string run;
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
  schema::OutputChannel channel = schema::OutputChannel::stdout;
};

/// Compresses for any number of channels, one chunk at a time; its working memory is the expensive
/// part (a few MiB), so a supervisor has one. Not thread-safe.
class OutputPacker {
 public:
  OutputPacker();
  OutputPacker(OutputPacker&&) noexcept;
  OutputPacker& operator=(OutputPacker&&) noexcept;
  ~OutputPacker();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Moves one channel into the store.
class OutputWriter {
 public:
  /// `chunk` and `offset`: how far the channel is in the store already, from the attempt's
  /// OutputCaptured events.
  OutputWriter(OutputKey key, std::uint32_t chunk = 0, std::uint64_t offset = 0);
  OutputWriter(OutputWriter&&) noexcept;
  OutputWriter& operator=(OutputWriter&&) noexcept;
  ~OutputWriter();

  /// Stores all of `raw`, the bytes that follow what was stored before, as one or more chunks, and
  /// returns the events that say so. A chunk is durable when its event is: append the events next.
  Result<std::vector<schema::OutputCapturedT>> write(Log& log, OutputPacker& packer,
                                                     std::span<const std::byte> raw);

  std::uint64_t offset() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Gives the channel's bytes to `sink`, in order. Returns how many there were. corrupt: a chunk is
/// missing or not what was stored; everything before it has been given. A sink's error ends it and
/// is returned.
Result<std::uint64_t> read_output(const Log& log, const OutputKey& key, const AttemptState& attempt,
                                  const std::function<Status(std::span<const std::byte>)>& sink);

}  // namespace pievt
