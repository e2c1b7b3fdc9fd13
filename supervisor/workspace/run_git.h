// One run of git, to its end, with nothing of ours but what it is given.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "supervisor/process/spawn.h"

namespace pievt::workspace {

/// Runs `git <arguments>` on the repository directory `git_directory`, in it and without a work
/// tree. `more`: variables besides ours. Output and failures as GitView::run says.
Status run_git(const std::filesystem::path& git_directory,
               const std::vector<std::string>& arguments,
               const std::vector<process::Variable>& more, std::string_view input,
               const std::function<Status(std::span<const std::byte>)>& sink);

/// The same for commands whose exit code is an answer: 0 to 127. Others are failures.
Result<int> ask_git(const std::filesystem::path& git_directory,
                    const std::vector<std::string>& arguments,
                    const std::vector<process::Variable>& more, std::string_view input,
                    const std::function<Status(std::span<const std::byte>)>& sink);

}  // namespace pievt::workspace
