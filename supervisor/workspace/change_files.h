// Changing several files of a tree as one: all of them or none, also when the machine stops in the
// middle.
//
// New contents are first written beside their places under names of ours. A journal in the store
// lists them; from the moment its file `go` is there, the change will be completed, by whoever
// finds it; before, it will be undone. A place is replaced by one rename, so no reader ever sees
// half a file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/workspace/merge.h"

namespace pievt::workspace {

/// Carries out the steps that write or remove. `journal` does not exist; its parent is a private
/// directory of ours. Errc::conflict: a file is not as it was when the steps were made; nothing was
/// changed then, nor after any other error but one during the renames, which recover_change()
/// completes.
Status change_files(const std::filesystem::path& journal, const std::string& root,
                    const std::vector<MergeStep>& steps);

enum class Recovered : std::uint8_t { undone, completed };

/// Finishes what a journal tells of, and removes it.
Result<Recovered> recover_change(const std::filesystem::path& journal);

}  // namespace pievt::workspace
