// Removes a tree that hostile hands may have built: links that lead elsewhere, directories that
// cannot be read, nesting deeper than any path or descriptor table, mounts of other file systems.
//
// std::filesystem::remove_all recurses by depth and gives up at a directory without permissions;
// this one holds a bounded number of descriptors and takes the permissions it needs.
#pragma once

#include <filesystem>
#include <string>

#include "pievt/result.h"

namespace pievt::launch {

/// Removes `name` in the open directory `parent`, with all that is below it. Nothing is there:
/// that is success. No symbolic link is followed, and no other file system is entered.
///
/// Errc::io (or what errno says) names the first thing that could not be removed; what could be is
/// gone then, and the call can be repeated. Errc::busy: somebody kept adding entries.
Status remove_tree(int parent, const std::string& name, const std::filesystem::path& shown);

}  // namespace pievt::launch
