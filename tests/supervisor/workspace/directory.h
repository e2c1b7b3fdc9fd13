// A directory of a test's own, and the small acts of somebody who works in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fmt/format.h>

namespace pievt::test {

namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "workspaceXXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { fs::remove_all(root_); }

  const fs::path& root() const { return root_; }
  std::string path(const std::string& name) const { return (root_ / name).string(); }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(root_ / name, std::ios::binary);
    return (std::ostringstream() << file.rdbuf()).str();
  }

  /// Runs a shell command in the directory as its user would; true where it succeeds.
  bool shell(const std::string& command) const {
    const std::string all = fmt::format(
        "cd '{}' && env GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a "
        "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a sh -c '{}' >/dev/null 2>&1",
        root_.string(), command);
    return std::system(all.c_str()) == 0;  // NOLINT(cert-env33-c): a test's own words
  }

 private:
  fs::path root_;
};

/// Everything that makes git run a command when somebody asks it about a repository, each leaving a
/// mark in `trap`. What a worker could plant.
inline void plant_traps(const Directory& directory, const std::string& trap) {
  const auto touch = [&](const char* what) { return fmt::format("touch {}/{}; cat", trap, what); };
  fs::create_directories(trap);
  std::ofstream config(directory.root() / ".git/config", std::ios::app);
  config << fmt::format(
      "[core]\n\tfsmonitor = \"{}\"\n\tpager = \"{}\"\n\thooksPath = hooks2\n"
      "\tsshCommand = \"{}\"\n\teditor = \"{}\"\n\tattributesFile = .gitattributes\n"
      "[filter \"x\"]\n\tclean = \"{}\"\n\tsmudge = \"{}\"\n\tprocess = \"{}\"\n\trequired = true\n"
      "[diff]\n\texternal = \"{}\"\n[diff \"x\"]\n\ttextconv = \"{}\"\n\tcommand = \"{}\"\n"
      "[merge \"x\"]\n\tdriver = \"{}\"\n[pager]\n\tdiff = \"{}\"\n"
      "[alias]\n\tls-tree = \"!{}\"\n\tcat-file = \"!{}\"\n\trev-list = \"!{}\"\n"
      "\tstatus = \"!{}\"\n",
      touch("fsmonitor"), touch("pager"), touch("ssh"), touch("editor"), touch("clean"),
      touch("smudge"), touch("process"), touch("external"), touch("textconv"), touch("command"),
      touch("driver"), touch("pager-diff"), touch("alias-ls-tree"), touch("alias-cat-file"),
      touch("alias-rev-list"), touch("alias-status"));
  config.close();
  directory.write(".gitattributes", "* filter=x diff=x merge=x\n");
  directory.write(".git/info/attributes", "* filter=x diff=x merge=x\n");
  for (const char* hook : {"post-checkout", "pre-commit", "post-index-change", "post-applypatch",
                           "reference-transaction", "post-merge", "fsmonitor-watchman"}) {
    for (const char* folder : {".git/hooks", ".git/hooks2", "hooks2"}) {
      const std::string name = fmt::format("{}/{}", folder, hook);
      directory.write(name, fmt::format("#!/bin/sh\ntouch {}/hook-{}\n", trap, hook));
      fs::permissions(directory.root() / name, fs::perms::owner_all);
    }
  }
}

}  // namespace pievt::test
