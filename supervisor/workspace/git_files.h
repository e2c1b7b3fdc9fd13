// What git's own files say, read by ourselves: where the repository is, what HEAD and the branches
// point at. No git is run for it, so nothing that its configuration names is run either.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pievt::workspace {

/// A repository with a work tree.
struct Repository {
  std::filesystem::path work_tree;
  std::filesystem::path git_directory;     ///< HEAD and index are here
  std::filesystem::path common_directory;  ///< objects, refs and configuration are here

  friend bool operator==(const Repository&, const Repository&) = default;
};

/// The repository whose work tree holds `directory`, as git looks for it: upwards. Nothing where
/// there is none, or its files make no sense.
std::optional<Repository> find_repository(const std::filesystem::path& directory);

struct Heads {
  std::string commit;  ///< what HEAD names, in hexadecimal; empty: no commit yet, or unreadable
  std::string branch;  ///< without refs/heads/; empty: detached
  std::vector<std::string> tips;  ///< of HEAD and of all branches, ascending, each once
};

/// Never fails: what cannot be read is not there.
Heads read_heads(const Repository& repository);

/// All refs by name, loose and packed.
std::map<std::string, std::string> read_refs(const Repository& repository);

/// `sha1` or `sha256`, as the configuration says.
std::string object_format(const Repository& repository);

/// Whether `text` is an object's name in hexadecimal.
bool is_object_id(std::string_view text);

}  // namespace pievt::workspace
