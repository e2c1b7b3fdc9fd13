// A tree as bytes: "PITR", counts, then for each entry its fixed part and its path; the CRC-32C of
// all that at the end. Numbers as this machine has them: the file does not outlive it.
#include <cstring>

#include "store/format/hash.h"
#include "supervisor/workspace/tree.h"

namespace pievt::workspace {
namespace {

constexpr std::string_view magic = "PITR0001";

template <class T>
void put(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T get() {
    T value{};
    if (!take(sizeof value)) return value;
    std::memcpy(&value, taken_.data(), sizeof value);
    return value;
  }
  std::string_view get_text() { return take(get<std::uint32_t>()) ? taken_ : std::string_view(); }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && bytes_.empty(); }

 private:
  bool take(std::size_t size) {
    ok_ = ok_ && size <= bytes_.size();
    if (!ok_) return false;
    taken_ = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }

  std::string_view bytes_, taken_;
  bool ok_ = true;
};

std::uint32_t sum_of(std::string_view bytes) {
  return crc32c(std::as_bytes(std::span(bytes)));
}

}  // namespace

std::string encode(const Tree& tree) {
  std::string out(magic);
  put_text(out, tree.root);
  put(out, tree.bytes);
  put(out, tree.unreadable);
  put(out, tree.fresh_from_ns);
  put(out, static_cast<std::uint8_t>(tree.partial));
  put(out, static_cast<std::uint64_t>(tree.entries.size()));
  for (const Entry& entry : tree.entries) {
    put_text(out, entry.path);
    put(out, entry.kind);
    put(out, entry.mode);
    put(out, entry.size);
    put(out, entry.modified_ns);
    put(out, entry.changed_ns);
    put(out, entry.inode);
    put(out, static_cast<std::uint8_t>(entry.digest.has_value()));
    if (entry.digest) put(out, *entry.digest);
  }
  put(out, sum_of(out));
  return out;
}

Result<Tree> decode(std::string_view bytes) {
  const Error damaged{Errc::corrupt, "the saved walk of a workspace is damaged"};
  if (bytes.size() < magic.size() + 4 || !bytes.starts_with(magic)) return damaged;
  std::uint32_t sum = 0;
  std::memcpy(&sum, bytes.data() + bytes.size() - 4, 4);
  bytes.remove_suffix(4);
  if (sum_of(bytes) != sum) return damaged;
  Reader reader(bytes.substr(magic.size()));
  Tree tree;
  tree.root = reader.get_text();
  tree.bytes = reader.get<std::uint64_t>();
  tree.unreadable = reader.get<std::uint64_t>();
  tree.fresh_from_ns = reader.get<std::int64_t>();
  tree.partial = reader.get<std::uint8_t>() != 0;
  const auto count = reader.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    Entry entry;
    entry.path = reader.get_text();
    entry.kind = static_cast<Kind>(std::min<std::uint8_t>(reader.get<std::uint8_t>(), 2));
    entry.mode = reader.get<std::uint32_t>();
    entry.size = reader.get<std::uint64_t>();
    entry.modified_ns = reader.get<std::int64_t>();
    entry.changed_ns = reader.get<std::int64_t>();
    entry.inode = reader.get<std::uint64_t>();
    if (reader.get<std::uint8_t>() != 0) entry.digest = reader.get<schema::Digest>();
    tree.entries.push_back(std::move(entry));
  }
  if (!reader.at_end()) return damaged;
  return tree;
}

}  // namespace pievt::workspace
