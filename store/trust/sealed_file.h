// A sealed run as a file that is read: its directory, its frames by number, and the bytes of a
// section by address. Everything is under a digest, which is compared whenever something is read.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "pievt/run_source.h"
#include "store/format/zstd_dictionary.h"
#include "store/log/fd.h"
#include "store/trust/sealed_format.h"

namespace pievt::sealed {

using Content = std::shared_ptr<const std::vector<std::byte>>;

/// For one thread. Movable.
class File {
 public:
  /// Reads the end of the file and its directory. Errors as in sealed.h.
  static Result<File> open(const std::filesystem::path& path);

  const Directory& directory() const { return directory_; }
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }

  /// What a frame of the directory holds. The last one of each section is kept.
  Result<Content> frame(std::size_t number) const;

  /// The frames of a section, by number, in their order.
  const std::vector<std::size_t>& frames_of(Section section) const;
  /// How many bytes they hold.
  std::uint64_t bytes_of(Section section) const;

  /// Gives `size` bytes from `address` on, in pieces. corrupt: they are not all there.
  Status read(Section section, std::uint64_t address, std::uint64_t size,
              const ByteSink& sink) const;
  Result<std::vector<std::byte>> read(Section section, std::uint64_t address,
                                      std::uint64_t size) const;

  /// `error` with the file before its sentence.
  Error here(const Error& error) const;

 private:
  struct Place {
    std::uint64_t offset = 0;   ///< in the file
    std::uint64_t address = 0;  ///< of its first byte, in its section
  };

  Status read_end();
  Status place_frames(const Tail& tail);
  Status read_dictionary();
  Result<std::vector<std::byte>> pread(std::uint64_t offset, std::uint64_t size) const;
  Result<std::vector<std::byte>> frame_at(std::uint64_t offset, std::uint32_t stored,
                                          std::uint32_t raw, const Digest& digest,
                                          FrameDecompressor& with) const;

  struct Kept {
    std::size_t number = SIZE_MAX;
    Content content;
  };

  std::filesystem::path path_;
  Fd fd_;
  std::uint64_t bytes_ = 0;
  Directory directory_;
  std::vector<Place> places_;  ///< as directory_.frames
  std::array<std::vector<std::size_t>, 256> sections_;
  mutable std::array<Kept, 256> kept_;
  mutable FrameDecompressor plain_, primed_;  ///< without and with the dictionary
};

}  // namespace pievt::sealed
