// The file BACKUP, which makes a store a backup, and what it remembers: of which store, and how far
// the log went when it was last added to. That is written before anything is copied, so a backup
// that was cut off, or that ended at damage, knows that it should be longer. A second word at the
// end, "finished", is not needed and could be lost.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "pievt/ids.h"
#include "pievt/result.h"
#include "store/log/store_files.h"

namespace pievt {

struct BackupMarker {
  std::string store_id;
  Sequence goal;  ///< where the log ended that was being copied; 0: made before this was noted
};

/// The marker's text.
std::string to_text(const BackupMarker& marker);

/// The marker of `directory`; nothing where there is none. io: it cannot be read.
Result<std::optional<BackupMarker>> read_backup_marker(const std::filesystem::path& directory);

/// Where a backup in `directory` that ends at `head` should end, if it is one that was cut off.
std::optional<Sequence> unfinished_backup(const std::filesystem::path& directory, Sequence head);

}  // namespace pievt
