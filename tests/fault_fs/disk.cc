#include "tests/fault_fs/disk.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>

#include <fmt/format.h>

namespace pievt::faults {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// Where what lay below `from` lies when that directory is called `to`; empty for anything else.
std::string moved(const std::string& path, const std::string& from, const std::string& to) {
  return path.starts_with(from + "/") ? to + path.substr(from.size()) : std::string();
}

bool is_hint(const std::string& path) {
  return path.ends_with("/HEAD") || path.ends_with("/CHECKED-MANIFEST") ||
         (path.ends_with("/LOCK") && !path.ends_with("/log/LOCK"));
}

[[noreturn]] void impossible(const Operation& operation) {
  fmt::print(stderr, "the disk model cannot follow: {}\n", describe(operation));
  std::abort();
}

}  // namespace

std::size_t hash_of(const Image& image) {
  std::size_t hash = 0;
  const auto mix = [&hash](std::string_view text) {
    hash = (hash ^ std::hash<std::string_view>{}(text)) * 0x9e3779b97f4a7c15u + text.size();
  };
  for (const auto& [path, content] : image) {
    mix(path);
    mix(content ? *content : "directory");
  }
  return hash;
}

void write_image(const Image& image, const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  for (const auto& [path, content] : image) {
    if (!content) {
      std::filesystem::create_directory(directory / path);
    } else {
      std::ofstream(directory / path, std::ios::binary) << *content;
    }
  }
}

std::string to_text(const Choice& choice) {
  std::string text;
  for (const bool kept : choice.kept) text += kept ? '1' : '0';
  if (text.empty()) text = "-";
  if (choice.torn) {
    text += fmt::format("~{}:{}{}", *choice.torn, choice.bytes, choice.zeros ? "z" : "");
  }
  return text;
}

std::optional<Choice> choice_from(const std::string& text) {
  Choice choice;
  const std::size_t tear = text.find('~');
  for (const char c : text.substr(0, tear)) {
    if (c == '0' || c == '1') choice.kept.push_back(c == '1');
  }
  if (tear == std::string::npos) return choice;
  char* end = nullptr;
  choice.torn = std::strtoull(text.c_str() + tear + 1, &end, 10);
  if (*end != ':') return std::nullopt;
  choice.bytes = std::strtoull(end + 1, &end, 10);
  choice.zeros = *end == 'z';
  return choice;
}

void Disk::change(std::string& content, const Change& change) {
  if (change.hint) {
    content = change.bytes;
  } else if (change.op == Op::truncate) {
    content.resize(change.offset);
  } else {
    if (content.size() < change.offset + change.bytes.size()) {
      content.resize(change.offset + change.bytes.size());
    }
    content.replace(change.offset, change.bytes.size(), change.bytes);
  }
}

void Disk::change(std::map<std::string, FileRef>& names, const Change& change) {
  switch (change.op) {
    case Op::rename: {
      names.erase(change.path);
      names[change.target] = change.named;
      std::map<std::string, FileRef> below;
      std::erase_if(names, [&](const auto& name) {
        const std::string to = moved(name.first, change.path, change.target);
        if (!to.empty()) below.emplace(to, name.second);
        return !to.empty();
      });
      names.merge(below);
      break;
    }
    case Op::link:
      names[change.target] = change.named;
      break;
    case Op::remove:
      names.erase(change.path);
      break;
    default:
      names[change.path] = change.named;
      break;
  }
}

void Disk::apply(const Operation& operation) {
  switch (operation.op) {
    case Op::write:
    case Op::truncate:
      return add_content(operation);
    case Op::create:
    case Op::make_directory:
    case Op::rename:
    case Op::link:
    case Op::remove:
      return add_name(operation);
    case Op::sync: {
      const auto found = names_.find(operation.path);
      if (found == names_.end()) impossible(operation);
      found->second->durable = found->second->now;
      std::erase_if(pending_, [&](const Change& change) { return change.file == found->second; });
      return;
    }
    case Op::sync_directory:
      std::erase_if(pending_, [&](const Change& pending) {
        if (pending.file != nullptr) return false;
        const std::string& name = pending.target.empty() ? pending.path : pending.target;
        if (parent_of(name) != operation.path) return false;
        change(durable_names_, pending);
        return true;
      });
      return;
  }
}

void Disk::add_content(const Operation& operation) {
  const auto found = names_.find(operation.path);
  if (found == names_.end()) impossible(operation);
  const FileRef file = found->second;
  Change next;
  next.what = describe(operation);
  next.file = file;
  next.path = operation.path;
  next.op = operation.op;
  next.offset = operation.offset;
  next.bytes = operation.bytes;
  change(file->now, next);
  if (is_hint(operation.path)) {
    std::erase_if(pending_, [&](const Change& earlier) { return earlier.file == file; });
    next.hint = true;
    next.bytes = file->now;
  }
  pending_.push_back(std::move(next));
}

void Disk::add_name(const Operation& operation) {
  Change next;
  next.what = describe(operation);
  next.op = operation.op;
  next.path = operation.path;
  next.target = operation.target;
  if (operation.op == Op::create || operation.op == Op::make_directory) {
    next.named = std::make_shared<File>();
    next.named->is_directory = operation.op == Op::make_directory;
  } else {
    const auto found = names_.find(operation.path);
    if (found == names_.end()) impossible(operation);
    next.named = found->second;
  }
  change(names_, next);
  // Names in a directory that moves are not durable until that directory is synced, whatever it is
  // called by then. Where the move itself is lost, so are they here, as they may be.
  if (operation.op == Op::rename && next.named->is_directory) {
    for (Change& pending : pending_) {
      for (std::string* path : {&pending.path, &pending.target})
        if (std::string to = moved(*path, next.path, next.target); !to.empty())
          *path = std::move(to);
    }
  }
  pending_.push_back(std::move(next));
}

std::vector<Disk::Piece> Disk::pending() const {
  std::vector<Piece> pieces;
  for (const Change& change : pending_) {
    const bool can_tear = change.file != nullptr && change.op == Op::write && !change.hint;
    pieces.push_back({change.what, can_tear ? change.bytes.size() : 0});
  }
  return pieces;
}

Image Disk::image(const Choice& choice) const {
  std::map<std::string, FileRef> names = durable_names_;
  std::map<File*, std::string> contents;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const Change& pending = pending_[i];
    if (i >= choice.kept.size() || !choice.kept[i]) continue;
    if (pending.file == nullptr) {
      change(names, pending);
      continue;
    }
    std::string& content =
        contents.try_emplace(pending.file.get(), pending.file->durable).first->second;
    if (choice.torn != i) {
      change(content, pending);
      continue;
    }
    Change part = pending;
    if (choice.zeros) {
      part.bytes.replace(0, choice.bytes, std::string(choice.bytes, '\0'));
    } else {
      part.bytes.resize(choice.bytes);
    }
    change(content, part);
  }
  return to_image(names, contents);
}

bool Disk::keeps_order(const Choice& choice) const {
  std::set<std::string> broken;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const Change& pending = pending_[i];
    const bool name = pending.file == nullptr;
    const std::string parent = parent_of(pending.path);
    if (pending.hint || (name && !parent.ends_with("/log"))) continue;
    const std::string group = name                             ? parent
                              : pending.path.ends_with(".log") ? parent + "/.log"
                                                               : pending.path;
    const bool kept = i < choice.kept.size() && choice.kept[i];
    if (kept && (broken.contains(group) || (choice.torn == i && choice.zeros))) return false;
    if (!kept || choice.torn == i) broken.insert(group);
  }
  return true;
}

Image Disk::page_cache() const {
  std::map<File*, std::string> contents;
  for (const auto& [path, file] : names_) contents[file.get()] = file->now;
  return to_image(names_, contents);
}

Image Disk::to_image(const std::map<std::string, FileRef>& names,
                     const std::map<File*, std::string>& contents) {
  Image image;
  for (const auto& [path, file] : names) {
    // What lies in a directory whose name is lost cannot be reached.
    const std::string parent = parent_of(path);
    const auto above = image.find(parent);
    if (parent != "." && (above == image.end() || above->second.has_value())) continue;
    if (file->is_directory) {
      image.emplace(path, std::nullopt);
      continue;
    }
    const auto content = contents.find(file.get());
    image.emplace(path, content == contents.end() ? file->durable : content->second);
  }
  return image;
}

}  // namespace pievt::faults
