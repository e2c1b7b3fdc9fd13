#include "tests/faults/damage.h"

#include <algorithm>
#include <array>
#include <fstream>

#include <fmt/format.h>

#include "store/log/log_impl.h"

namespace pievt::faults {
namespace {

namespace fs = std::filesystem;

constexpr std::array kind_names = {"flip", "zero", "truncate", "remove", "swap", "empty", "garble"};
constexpr std::array family_names = {"log",         "streams", "ids",     "index",
                                     "projections", "blobs",   "schemas", "meta"};
constexpr std::uint64_t step_bytes = 64;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

Family family_named(const std::string& name) {
  return static_cast<Family>(std::ranges::find(family_names, name) - family_names.begin());
}

// Through RocksDB, so that every checksum of its own is right: only we can notice.
bool damage_family(const fs::path& store, const DamageRow& row) {
  auto rocks = Rocks::open_writer(log_directory(store), Rocks::Create::never);
  if (!rocks.ok()) return false;
  const Family family = family_named(row.file);
  WriteSet set(*rocks);
  bool any = false;
  {
    auto cursor = rocks->cursor(family);
    for (cursor.seek(""); cursor.valid(); cursor.next()) {
      any = true;
      if (row.kind == Damage::empty_family) {
        set.remove(family, cursor.key());
      } else {
        std::string value(cursor.value());
        for (char& c : value) c = static_cast<char>(c ^ 0x55);
        set.put(family, cursor.key(), value);
      }
    }
  }
  return any && rocks->write(std::move(set), Durability::fsync).ok() && rocks->close().ok();
}

}  // namespace

std::string to_text(const DamageRow& row) {
  const std::string text =
      fmt::format("{}:{}", kind_names[static_cast<std::size_t>(row.kind)], row.file);
  if (row.kind == Damage::swap) return text + ":" + row.other;
  return row.kind <= Damage::truncate ? fmt::format("{}:{}", text, row.at) : text;
}

std::vector<DamageRow> all_damage(const fs::path& store) {
  std::vector<std::pair<std::string, std::uint64_t>> files;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    if (!entry.is_regular_file()) continue;
    files.emplace_back(entry.path().lexically_relative(store).string(), entry.file_size());
  }
  std::ranges::sort(files);
  std::vector<DamageRow> rows;
  for (const auto& [file, size] : files) {
    rows.push_back({Damage::remove, file, 0, ""});
    for (std::uint64_t at = 0; at < size; at += step_bytes) {
      rows.push_back({Damage::flip, file, at, ""});
      rows.push_back({Damage::zero, file, at, ""});
      rows.push_back({Damage::truncate, file, at, ""});
    }
    for (const auto& [other, other_size] : files) {
      if (file < other) rows.push_back({Damage::swap, file, 0, other});
    }
  }
  for (const char* family : family_names) {
    rows.push_back({Damage::empty_family, family, 0, ""});
    rows.push_back({Damage::garble_family, family, 0, ""});
  }
  return rows;
}

bool inflict(const fs::path& store, const DamageRow& row) {
  if (row.kind >= Damage::empty_family) return damage_family(store, row);
  const fs::path path = store / row.file;
  std::string content = read_file(path);
  const std::string before = content;
  const auto at = static_cast<std::size_t>(row.at);
  switch (row.kind) {
    case Damage::flip: {
      // Another byte and another bit each time, but the same ones whenever the row is repeated.
      const std::uint64_t mixed = (row.at + row.file.size() + 1) * 0x9e3779b97f4a7c15u;
      char& victim = content[std::min(at + (mixed >> 58), content.size() - 1)];
      victim = static_cast<char>(victim ^ (1 << (mixed >> 32 & 7)));
      break;
    }
    case Damage::zero:
      std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at),
                  std::min<std::size_t>(step_bytes, content.size() - at), '\0');
      break;
    case Damage::truncate:
      content.resize(at);
      break;
    case Damage::remove:
      return fs::remove(path);
    case Damage::swap: {
      const std::string other = read_file(store / row.other);
      write_file(store / row.other, content);
      content = other;
      break;
    }
    default:
      break;
  }
  if (content == before) return false;
  write_file(path, content);
  return true;
}

std::string name_of(Noticed noticed) {
  constexpr std::array names = {"harmless", "detected at open", "detected at read",
                                "detected by verify", "SILENT"};
  return names[static_cast<std::size_t>(noticed)];
}

}  // namespace pievt::faults
