// Places for copies: which directories may be used, and how a finished one appears at once.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt {

/// `path` from the root, links followed as far as they lead, and without a slash at its end.
std::filesystem::path resolved(const std::filesystem::path& path);

/// Whether something is there, links followed. io: that cannot be told, for want of permission.
Result<bool> is_there(const std::filesystem::path& path);

/// Whether `file` is what write_file_atomically() leaves of a file `name` when it is cut off.
bool is_unfinished_file(const std::filesystem::path& file, std::string_view name);

/// Whether nothing is there, or an empty directory. io: it cannot be looked at. invalid: a file, or
/// a symbolic link that leads nowhere: nothing could be put there under this name.
Result<bool> is_vacant(const std::filesystem::path& directory);

/// invalid unless is_vacant().
Status check_vacant(const std::filesystem::path& directory);

/// invalid where `copy` is `store` or lies in it, or the other way round.
Status check_apart(const std::filesystem::path& store, const std::filesystem::path& copy);

/// Makes the directory with mode 0700, durably; harmless where it is there.
Status make_directory(const std::filesystem::path& directory);

/// Where something lies until it is whole: beside `to`, `<to>.<doing>`.
std::filesystem::path stage_of(const std::filesystem::path& to, std::string_view doing);

/// Gives a finished stage its name, at once and durably. invalid: something else has it by now.
Status publish_stage(const std::filesystem::path& stage, const std::filesystem::path& to);

Status remove_durably(const std::filesystem::path& file);

/// A directory of ours and all that is in it, also where it is not there. io names what would not
/// go.
Status remove_directory(const std::filesystem::path& directory);

/// Where a store's log is made anew, in the store.
inline constexpr const char* rebuild_directory = "rebuild";

/// The same where it is only looked how that would go, beside whoever writes.
inline constexpr const char* preview_directory = "rebuild.preview";

/// At most 64 KiB of a text file.
Result<std::string> read_small_file(const std::filesystem::path& file);

}  // namespace pievt
