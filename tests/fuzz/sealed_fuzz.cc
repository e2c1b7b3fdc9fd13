// Any bytes as a sealed run, and as the pieces that a sealed run is made of behind its digests: a
// directory, a frame of events, the index, the end of the file. Whatever is in them is an error or
// can be written again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/sealed.h"
#include "store/format/reflect_slim.h"
#include "store/log/fd.h"
#include "store/trust/sealed_events.h"
#include "store/trust/sealed_format.h"

namespace {

using namespace pievt;  // NOLINT(google-build-using-namespace)

void as_directory(std::span<const std::byte> bytes) {
  const auto directory = sealed::parse_directory(bytes);
  if (!directory.ok()) return;
  const auto again = sealed::to_bytes(*directory);
  PIEVT_ASSERT(std::ranges::equal(again, bytes));
  PIEVT_ASSERT(!sealed::manifest_of(*directory).empty());
}

void as_events(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return;
  // As a frame says of itself; a directory says the same or it is refused.
  const auto first = static_cast<std::uint64_t>(bytes[0]);
  const auto count = static_cast<std::uint32_t>(bytes[1]);
  const auto page = sealed::EventPage::parse(bytes, first, count);
  if (!page.ok()) return;
  PIEVT_ASSERT(page->events.size() == count);
  sealed::EventPacker packer;
  sealed::StampsDigest digest;
  for (const EventView& event : page->events) {
    packer.add(event);
    digest.add(event);
  }
  if (count == 0) return;
  const auto again = sealed::EventPage::parse(packer.take(), first, count);
  PIEVT_ASSERT(again.ok());
  PIEVT_ASSERT(again->words == page->words);
}

void as_file(std::span<const std::byte> bytes) {
  const Fd file(::memfd_create("sealed", MFD_CLOEXEC));
  if (!file || ::write(file.get(), bytes.data(), bytes.size()) < 0) return;
  const std::string path = fmt::format("/proc/self/fd/{}", file.get());
  const auto run = open_sealed(path);
  PIEVT_ASSERT(verify_sealed(path).ok() == run.ok());
  if (run.ok()) static_cast<void>((*run)->state());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  as_directory(bytes);
  as_events(bytes);
  as_file(bytes);
  static_cast<void>(sealed::parse_tail(bytes));
  if (const auto schema = reflect::binary_schema(bytes); schema.ok())
    static_cast<void>(reflect::Schema::load(*schema));
  if (size >= sealed::seek_footer_bytes)
    static_cast<void>(sealed::seek_table_bytes(bytes.last<sealed::seek_footer_bytes>()));
  if (size >= sealed::index_entry_bytes) {
    std::vector<std::byte> entry;
    sealed::put_entry(entry, sealed::entry_at(bytes.first<sealed::index_entry_bytes>()));
    PIEVT_ASSERT(std::ranges::equal(entry, bytes.first(sealed::index_entry_bytes)));
  }
  return 0;
}
