// Writes the bytes of a sealed run: frames of sections, and what stands around them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <vector>

#include "store/format/zstd_dictionary.h"
#include "store/log/fd.h"
#include "store/trust/sealed_format.h"

namespace pievt::sealed {

/// How much a frame of texts or index holds: enough that what repeats is found in it, and little
/// enough that reading one thing out of it takes a few milliseconds. Output is read as a whole, and
/// repeats itself over longer stretches.
inline constexpr std::size_t frame_bytes = 1u << 20, output_frame_bytes = 4u << 20;

/// The file while it is written, under another name. Gone with this object unless it was published;
/// where its process was killed, the next writer of the same file removes what is left.
class Writer {
 public:
  /// `level` is zstd's. invalid, io, no_space.
  static Result<Writer> create(const std::filesystem::path& to, int level);
  Writer(Writer&& other) noexcept;
  Writer& operator=(Writer&&) = delete;
  ~Writer();

  /// Adds bytes to a section, which must be the same until close_section().
  Status add(Section section, std::span<const std::byte> bytes);
  /// How many bytes were added to the section that is open.
  std::uint64_t address() const { return address_; }
  Status close_section();

  /// One frame of its own. `with`: what packs it, instead of this writer's.
  Status add_frame(Section section, std::span<const std::byte> content,
                   FrameCompressor* with = nullptr);

  /// The manifest, the directory with all frames in it, tail and seek table; then everything is
  /// made durable.
  Status finish(Directory directory);

  /// Gives the file its name, durably. invalid: one of that name is there, and `replace` is false.
  Status publish(bool replace);

  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  Writer(std::filesystem::path to, std::filesystem::path temporary, int level);
  Status write(std::span<const std::byte> bytes);

  std::filesystem::path to_, temporary_;
  Fd fd_;
  FrameCompressor compressor_;
  std::vector<Frame> frames_;
  std::uint64_t offset_ = 0, address_ = 0;
  Section section_{};
  std::vector<std::byte> pending_;
};

}  // namespace pievt::sealed
