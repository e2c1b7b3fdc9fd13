// A disk that forgets. It is told what was done (journal.h) and knows what of it a power cut may
// take back: everything that no sync has made durable.
//
// The rules are those that POSIX gives and no better ones, so that nothing rests on the habits of
// one file system:
//   - a write, or a new size, is durable when *that file* was synced after it;
//   - a name (created, renamed, linked, removed, a directory made) is durable when *its directory*
//     was synced after it; a file that was synced but has no name is lost;
//   - what is not durable may be there or not, each piece for itself; a later piece may be there
//     without an earlier one (the hole reads as zeros); one piece may be there in part;
//   - a rename within a directory is there as a whole or not at all.
//
// Files that are never synced on purpose (HEAD, LOCK and CHECKED-MANIFEST, which are hints) would
// only multiply the cases: their unsynced writes are taken as one piece.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/fault_fs/journal.h"

namespace pievt::faults {

/// Files by path, with their content; directories without one.
using Image = std::map<std::string, std::optional<std::string>>;

std::size_t hash_of(const Image& image);

/// Writes the image into a directory that does not exist yet.
void write_image(const Image& image, const std::filesystem::path& directory);

/// What a power cut leaves of the pieces that were not durable.
struct Choice {
  std::vector<bool> kept;           ///< one for each pending piece
  std::optional<std::size_t> torn;  ///< this one, a write, is there only in part:
  std::size_t bytes = 0;            ///< its first bytes, or
  bool zeros = false;               ///< its last bytes, with zeros before them

  friend bool operator==(const Choice&, const Choice&) = default;
};

/// As `1101` (kept or not, in the order it was done), and `1101~2:512` or `1101~2:512z`.
std::string to_text(const Choice& choice);
std::optional<Choice> choice_from(const std::string& text);

class Disk {
 public:
  void apply(const Operation& operation);

  struct Piece {
    std::string what;
    std::size_t write_bytes = 0;  ///< 0 where it cannot be torn
  };
  /// What is not durable, in the order it was done.
  std::vector<Piece> pending() const;

  Image image(const Choice& choice) const;

  /// Whether of each file, and of the write-ahead logs (`*.log`) together, what is kept are the
  /// first writes, at most the last of them in part; and of the names in RocksDB's directory the
  /// first changes. A disk need not be so kind. But a hole in the midst of what is there looks like
  /// damage, and RocksDB relies on names that come in order (CURRENT after its MANIFEST), as every
  /// journaling file system gives them.
  bool keeps_order(const Choice& choice) const;

  /// Everything that was done, as a process sees it that starts after another one's death.
  Image page_cache() const;

 private:
  struct File {
    bool is_directory = false;
    std::string durable;
    std::string now;
  };
  using FileRef = std::shared_ptr<File>;
  struct Change {
    std::string what;
    // Of a file's content:
    FileRef file;
    Op op = Op::write;
    std::uint64_t offset = 0;
    std::string bytes;
    // Of names:
    std::string path, target;  ///< path: also of the file whose content it is
    FileRef named;
    bool hint = false;  ///< of a file whose unsynced writes are one piece: `bytes` is all of it
  };

  void add_content(const Operation& operation);
  void add_name(const Operation& operation);
  static void change(std::string& content, const Change& change);
  static void change(std::map<std::string, FileRef>& names, const Change& change);
  static Image to_image(const std::map<std::string, FileRef>& names,
                        const std::map<File*, std::string>& contents);

  std::map<std::string, FileRef> durable_names_, names_;
  std::vector<Change> pending_;
};

}  // namespace pievt::faults
