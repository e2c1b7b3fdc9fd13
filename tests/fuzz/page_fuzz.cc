// Any bytes as a page whose size and checksum are right: what lies behind them must hold on its
// own.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "store/format/hash.h"
#include "store/format/page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pievt;  // NOLINT(google-build-using-namespace)
  if (size < sizeof(format::PageHeader)) return 0;
  std::vector<std::byte> page(size);  // aligned, as pages are
  std::memcpy(page.data(), data, size);
  format::PageHeader header;
  std::memcpy(&header, page.data(), sizeof(header));
  header.magic = format::page_magic;
  header.version = format::page_version;
  header.page_bytes = static_cast<std::uint32_t>(size);
  std::memcpy(page.data(), &header, sizeof(header));
  header.crc32c =
      crc32c(std::span<const std::byte>(page).subspan(offsetof(format::PageHeader, version)));
  std::memcpy(page.data(), &header, sizeof(header));

  const auto parsed = format::PageView::parse(page);
  if (!parsed.ok()) return 0;
  std::vector<EventView> events;
  static_cast<void>(format::collect_events(*parsed, {}, events));
  Digest chain{};
  static_cast<void>(parsed->check_chain(chain));
  return 0;
}
