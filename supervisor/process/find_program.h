// Where the program of a child is, looked up as the child would: with the PATH it will have, not
// with ours.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt::process {

/// The file to execute for `name`. A name with a slash is a path, relative to `cwd`; any other is
/// searched in the directories of `path`. Only absolute directories are searched: a relative one
/// would be found in the worker's tree, where a worker can put a program of its own.
///
/// Errc::not_found when there is none (the sentence tells where was searched), Errc::invalid when
/// there are only files or directories of that name that cannot be executed.
Result<std::string> find_program(std::string_view name, std::string_view path,
                                 const std::filesystem::path& cwd);

}  // namespace pievt::process
