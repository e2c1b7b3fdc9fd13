// Directories of ours that are entered one component at a time, so that no symbolic link somebody
// put below the store can lead a write, or a removal, to another place.
//
// Everything below works on open directories, not on paths: what was checked is what is used.
//
// Nothing is made durable here. When the machine goes down its children do, what they had not
// synced themselves is lost with them, and the record has their prompts. A dozen fsyncs for each
// start would only keep the loop waiting for the disk.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "pievt/result.h"
#include "supervisor/process/fd.h"

namespace pievt::launch {

/// Opens a directory by path. Symbolic links on the way are followed: where the store or a user's
/// directory lies is the user's choice.
Result<process::Fd> open_directory(const std::filesystem::path& path);

/// Opens the directory `name` in `parent`. Errc::invalid when it is a symbolic link, no directory,
/// or another user's; Errc::not_found when it is missing. `shown` is its path, for messages.
Result<process::Fd> enter_directory(int parent, const std::string& name,
                                    const std::filesystem::path& shown);

enum class Existing : std::uint8_t {
  accept,  ///< enter it, and make it 0700
  refuse,  ///< Errc::conflict: the caller needs a fresh one
};

/// Makes the directory `name` in `parent`, mode 0700 whatever the umask, and enters it as
/// enter_directory does.
Result<process::Fd> make_directory(int parent, const std::string& name,
                                   const std::filesystem::path& shown, Existing existing);

/// Makes the file `name` in `directory`, mode 0600, with `content`, and hands it over, open for
/// writing. Errc::conflict when something of that name is there.
Result<process::Fd> write_new_file(int directory, const std::string& name, std::string_view content,
                                   const std::filesystem::path& shown);

}  // namespace pievt::launch
