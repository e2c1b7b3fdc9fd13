// Opening and closing: who may write, what a new store begins with, what a reader may believe.
#include <array>
#include <cstring>
#include <thread>

#include <sys/random.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/format/keys.h"
#include "store/log/log_impl.h"
#include "store/log/schema_registry.h"
#include "store/log/stored_page.h"

namespace pievt {
namespace {

Result<BlobKey> load_or_make_key(Rocks& rocks, OpenMode mode) {
  BlobKey key{};
  if (const auto stored = PIEVT_TRY(rocks.get(Family::meta, "blob-key"))) {
    if (stored->size() != key.size())
      return Error{Errc::corrupt, "the store's blob key is damaged; restore a backup"};
    std::memcpy(key.data(), stored->data(), key.size());
    return key;
  }
  if (mode == OpenMode::read) return key;
  for (std::size_t have = 0; have < key.size();) {
    const ssize_t got = ::getrandom(key.data() + have, key.size() - have, 0);
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  WriteSet set(rocks);
  set.put(Family::meta, "blob-key", {reinterpret_cast<const char*>(key.data()), key.size()});
  PIEVT_TRY(rocks.write(std::move(set), Durability::memory));
  return key;
}

// Same boot, and HEAD ahead of what recovery found: events were acknowledged that the log no longer
// has.
Status check_tail(const std::filesystem::path& store, const StoreIdentity& identity,
                  std::uint64_t last) {
  const std::uint64_t promised = promised_sequence(store, identity);
  if (promised <= last) return {};
  return Error{
      Errc::corrupt,
      fmt::format(
          "{} ends at @{}, but @{} had been acknowledged since this machine started: events are "
          "missing. Nothing was changed; run: pievt verify --all",
          store.string(), last, promised)};
}

Result<std::unique_ptr<Log::Impl>> open_writer(const std::filesystem::path& store,
                                               const OpenOptions& options) {
  const StoreIdentity identity =
      PIEVT_TRY(options.mode == OpenMode::create ? create_store(store) : read_identity(store));
  PIEVT_TRY(refuse_backup(store));
  const Owner self = this_process(options.program);
  WriterLock lock = PIEVT_TRY(WriterLock::acquire(store, self, options.lock_wait));
  // Between STORE and the log's first commit a creator can die; whoever comes next simply goes on.
  const bool log_is_new = !std::filesystem::exists(log_directory(store) / "CURRENT");
  Rocks rocks = PIEVT_TRY(Rocks::open_writer(
      log_directory(store), log_is_new ? Rocks::Create::if_missing : Rocks::Create::never));
  auto impl = std::make_unique<Log::Impl>(store, options.mode, identity, std::move(rocks));

  const auto last_page = PIEVT_TRY(load_last_page(impl->rocks, identity.short_id()));
  const std::uint64_t last = last_page ? last_page->last() : 0;
  PIEVT_TRY(check_tail(store, identity, last));
  impl->committed = last;
  impl->blobs.set_key(PIEVT_TRY(load_or_make_key(impl->rocks, options.mode)));

  const std::uint64_t epoch = last_page ? last_page->view().header->epoch + 1 : 1;
  const Digest chain = last_page ? last_page->chain() : Digest{};
  const WriterFacts facts{embedded_schema().short_hash, epoch, identity.short_id()};
  HeadWriter head = PIEVT_TRY(HeadWriter::open(store, identity.bytes(), epoch));
  impl->writer =
      std::make_unique<WriterRole>(std::move(lock), std::move(head), impl->rocks, facts, last,
                                   chain, PIEVT_TRY(last_stream_number(impl->rocks)));
  PIEVT_TRY(begin_writing(*impl, last == 0, options.program));
  return impl;
}

Result<std::unique_ptr<Log::Impl>> open_reader(const std::filesystem::path& store,
                                               const OpenOptions& options) {
  const StoreIdentity identity = PIEVT_TRY(read_identity(store));
  if (!std::filesystem::exists(log_directory(store) / "CURRENT")) {
    return Error{Errc::not_found, fmt::format("the store {} has no log yet", store.string())};
  }
  Rocks rocks = PIEVT_TRY(Rocks::open_reader(log_directory(store)));
  auto impl = std::make_unique<Log::Impl>(store, options.mode, identity, std::move(rocks));
  PIEVT_TRY(impl->refresh());
  impl->blobs.set_key(PIEVT_TRY(load_or_make_key(impl->rocks, options.mode)));
  return impl;
}

}  // namespace

Result<Log> Log::open(const std::filesystem::path& directory, const OpenOptions& options) {
  auto impl = PIEVT_TRY(options.mode == OpenMode::read ? open_reader(directory, options)
                                                       : open_writer(directory, options));
  return Log(std::move(impl));
}

std::uint64_t promised_sequence(const std::filesystem::path& store, const StoreIdentity& identity) {
  const Result<std::optional<HeadValue>> head = read_head(store);
  if (!head.ok() || !*head) return 0;
  const bool ours = (*head)->store_id == identity.bytes() && (*head)->boot_id == current_boot_id();
  return ours ? (*head)->committed : 0;
}

Status Log::Impl::refresh() {
  if (writer != nullptr) return {};
  const auto deadline = std::chrono::steady_clock::now() + limits::catch_up_max;
  for (;;) {
    PIEVT_TRY(rocks.catch_up());
    const bool alive = WriterLock::current_owner(directory).has_value();
    const std::uint64_t promised = promised_sequence(directory, identity);
    const auto last_page = PIEVT_TRY(load_last_page(rocks, identity.short_id()));
    const std::uint64_t last = last_page ? last_page->last() : 0;
    writer_alive = alive;
    // Beyond HEAD a living writer's data may not be on the disk yet. Without HEAD (it is only a
    // hint) all there is is all we can go by.
    const std::uint64_t visible = alive && promised != 0 ? std::min(promised, last) : last;
    if (visible > committed) committed = visible;
    if (promised <= last) {
      missing = 0;
      return {};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      if (!alive) missing = promised - last;
      return {};
    }
    std::this_thread::yield();
  }
}

Status Log::Impl::heal(Sequence wanted) {
  const auto deadline = std::chrono::steady_clock::now() + limits::catch_up_max;
  for (;;) {
    if (writer == nullptr) PIEVT_TRY(rocks.catch_up());
    auto cursor = rocks.cursor(Family::log);
    cursor.seek(format::log_key(wanted.value));
    PIEVT_TRY(cursor.status());
    if (cursor.valid()) {
      StoredPage page;
      PIEVT_TRY(page.load(cursor.value(), identity.short_id()));
      if (page.first() <= wanted.value) return {};
    }
    if (writer != nullptr || std::chrono::steady_clock::now() >= deadline) {
      return Error{Errc::corrupt,
                   fmt::format("the page of @{} is missing from {}; run: pievt verify --all",
                               wanted.value, directory.string())};
    }
    std::this_thread::yield();
  }
}

Status begin_writing(Log::Impl& log, bool store_is_new, const std::string& program) {
  WriterRole& role = *log.writer;
  const EmbeddedSchema& schema = embedded_schema();
  std::vector<NewEvent> events;
  if (store_is_new) {
    schema::StoreCreatedT created;
    created.store_id = log.identity.id;
    created.format_version = log.identity.format_version;
    created.pievt_version = PIEVT_VERSION;
    events.push_back({std::move(created)});
  }
  if (PIEVT_TRY(register_schema(log.rocks, schema))) {
    schema::SchemaRegisteredT registered;
    registered.digest = std::make_unique<schema::Digest>(to_schema(schema.digest));
    registered.size = schema.bytes.size();
    events.push_back({std::move(registered)});
  }
  role.actor = PIEVT_TRY(last_actor_number(log.rocks)) + 1;
  const Owner self = this_process(program);
  const auto process = [&self] {
    auto id = std::make_unique<schema::ProcessIdT>();
    id->pid = static_cast<std::uint32_t>(self.pid);
    id->start_ticks = self.start_ticks;
    id->boot_id = self.boot_id;
    id->pid_namespace = self.pid_namespace;
    return id;
  };
  schema::ActorDeclaredT actor;
  actor.number = role.actor;
  actor.uid = ::getuid();
  actor.process = process();
  actor.program = program;
  events.push_back({std::move(actor)});
  schema::WriterOpenedT opened;
  opened.epoch = role.epoch;
  opened.process = process();
  opened.uid = ::getuid();
  opened.program = program;
  opened.pievt_version = PIEVT_VERSION;
  opened.after_crash = !store_is_new && !PIEVT_TRY(closed_in_good_order(log.rocks));
  events.push_back({std::move(opened)});

  WriteSet set(log.rocks);
  std::string key = "a";
  format::put_u32(key, role.actor);
  set.put(Family::index, key, program);
  set.remove(Family::meta, "closed");
  PIEVT_TRY(log.rocks.write(std::move(set), Durability::memory));

  const StreamEvents own{"store", Expected::any(), std::move(events)};
  const EncodedAppend encoded = PIEVT_TRY(EncodedAppend::encode(std::span(&own, 1)));
  PIEVT_TRY(log.append(encoded.impl()));
  return {};
}

Status Log::Impl::close() {
  if (writer == nullptr) return {};
  schema::WriterClosedT closed;
  closed.epoch = writer->epoch;
  StreamEvents own{"store", Expected::any(), {}};
  own.events.push_back({std::move(closed)});
  Status result;
  const auto encoded = EncodedAppend::encode(std::span(&own, 1));
  if (const auto said = append(encoded->impl()); !said.ok()) result = said.error();
  if (result.ok()) {
    WriteSet set(rocks);
    set.put(Family::meta, "closed", "1");
    result = rocks.write(std::move(set), Durability::fsync);
  }
  const Status flushed = rocks.close();
  writer.reset();
  return result.ok() ? flushed : result;
}

}  // namespace pievt
