// Beginning and ending a writer's period: what a new store starts with, what must hold of an old
// one before a byte is added, and what is said in the log about both.
#include "store/log/writer_role.h"

#include <cstring>
#include <future>

#include <sys/random.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "pievt/shell_word.h"
#include "store/format/keys.h"
#include "store/log/beginning.h"
#include "store/log/index_check.h"
#include "store/log/schema_registry.h"
#include "store/log/server.h"
#include "store/log/stored_page.h"

namespace pievt {
namespace {

Result<BlobKey> load_or_make_key(Rocks& rocks, std::uint64_t last) {
  if (auto stored = PIEVT_TRY(load_blob_key(rocks))) return *stored;
  // It is written before the first event. With another one every blob there is would look damaged.
  if (last != 0) return Error{Errc::corrupt, "the store's blob key is missing; restore a backup"};
  BlobKey key{};
  for (std::size_t have = 0; have < key.size();) {
    const ssize_t got = ::getrandom(key.data() + have, key.size() - have, 0);
    if (got > 0) have += static_cast<std::size_t>(got);
  }
  WriteSet set(rocks);
  set.put(Family::meta, "blob-key", text_of(key));
  PIEVT_TRY(rocks.write(std::move(set), Durability::memory));
  return key;
}

// Same boot, and HEAD ahead of what recovery found: events were acknowledged that the log no longer
// has.
Status check_tail(const StorePlace& place, std::uint64_t last) {
  const std::uint64_t promised = promised_sequence(place.directory, place.identity);
  if (promised <= last) return {};
  return Error{
      Errc::corrupt,
      fmt::format(
          "{} ends at @{}, but @{} had been acknowledged since this machine started: events are "
          "missing. Nothing was changed; run: {}",
          place.directory.string(), last, promised,
          store_command("verify --all", place.directory))};
}

// The look at the last page does not find what is damaged further back.
Status refuse_damaged(const std::filesystem::path& store) {
  std::error_code failed;
  if (!std::filesystem::exists(store / damage_marker, failed)) return {};
  return Error{
      Errc::corrupt,
      fmt::format("an earlier writer of {} found an index damaged ({} says where). Run: {}",
                  store.string(), damage_marker, store_command("doctor --rebuild", store))};
}

std::unique_ptr<schema::ProcessIdT> to_schema(const Owner& process) {
  auto id = std::make_unique<schema::ProcessIdT>();
  id->pid = static_cast<std::uint32_t>(process.pid);
  id->start_ticks = process.start_ticks;
  id->boot_id = process.boot_id;
  id->pid_namespace = process.pid_namespace;
  return id;
}

schema::ActorDeclaredT actor_event(std::uint32_t number, std::uint32_t uid, const Owner& process) {
  schema::ActorDeclaredT actor;
  actor.number = number;
  actor.uid = uid;
  actor.process = to_schema(process);
  actor.program = process.program;
  return actor;
}

void put_actor(WriteSet& set, std::uint32_t number, std::string_view program) {
  std::string key = "a";
  format::put_u32(key, number);
  set.put(Family::index, key, program);
}

}  // namespace

WriterRole::WriterRole(WriterLock lock, Rocks rocks, StorePlace place, HeadWriter head,
                       WriterFacts facts, ValuePut put, std::atomic<std::uint64_t>& committed)
    : lock_(std::move(lock)),
      place_(std::move(place)),
      rocks_(std::move(rocks)),
      blobs_(rocks_, std::move(put)),
      epoch_(facts.epoch),
      committed_(&committed),
      head_(std::move(head)) {}

WriterRole::~WriterRole() = default;

Result<std::unique_ptr<WriterRole>> WriterRole::begin(WriterLock lock, const StorePlace& place,
                                                      ValuePut put,
                                                      std::atomic<std::uint64_t>& committed) {
  const std::filesystem::path directory = log_directory(place.directory);
  const bool is_new = PIEVT_TRY(log_is_new(place));
  // While RocksDB replays what the writer before had given to the kernel, that is put on the disk:
  // together the two are most of a take-over, and only our first commit needs both.
  std::future<Status> synced = std::async(std::launch::async, [&directory, is_new] {
    return is_new ? Status() : sync_write_ahead_logs(directory);
  });
  Rocks rocks = PIEVT_TRY(
      Rocks::open_writer(directory, is_new ? Rocks::Create::if_missing : Rocks::Create::never,
                         Rocks::Superfluous::stays));
  // RocksDB syncs what is in log/, and nobody but us the name of log/ itself.
  if (is_new) PIEVT_TRY(sync_directory(place.directory));

  const std::uint64_t store = place.identity.short_id();
  const auto last_page = PIEVT_TRY(load_last_page(rocks, store));
  const std::uint64_t last = last_page ? last_page->last() : 0;
  PIEVT_TRY(check_tail(place, last));
  PIEVT_TRY(refuse_damaged(place.directory));
  PIEVT_TRY(check_indexes(rocks, last_page));
  const std::uint64_t epoch = last_page ? last_page->view().header->epoch + 1 : 1;
  LogEnd end{last, last_page ? last_page->chain() : Digest{}, 0, {}};
  end.last_stream = PIEVT_TRY(last_stream_number(rocks));
  end.highest_id = PIEVT_TRY(highest_append_id(rocks));
  const WriterFacts facts{embedded_schema().short_hash, epoch, store};
  HeadWriter head = PIEVT_TRY(HeadWriter::open(place.directory, place.identity.bytes(), epoch));

  const Owner self = lock.owner();
  std::unique_ptr<WriterRole> role(new WriterRole(
      std::move(lock), std::move(rocks), place, std::move(head), facts, std::move(put), committed));
  role->committer_.emplace(role->rocks_, facts, end);
  role->blobs_.set_key(PIEVT_TRY(load_or_make_key(role->rocks_, last)));
  committed = last;
  PIEVT_TRY(synced.get());
  role->rocks_.settle();
  PIEVT_TRY(role->begin_period(self));
  return role;
}

Status WriterRole::begin_period(const Owner& self) {
  const bool store_is_new = committer_->last() == 0;
  const EmbeddedSchema& schema = embedded_schema();
  std::vector<NewEvent> events;
  if (store_is_new) {
    schema::StoreCreatedT created;
    created.store_id = place_.identity.id;
    created.format_version = place_.identity.format_version;
    created.pievt_version = PIEVT_VERSION;
    events.push_back({std::move(created), {}, {}, 0});
  }
  if (PIEVT_TRY(register_schema(rocks_, schema))) {
    schema::SchemaRegisteredT registered;
    registered.digest = std::make_unique<schema::Digest>(pievt::to_schema(schema.digest));
    registered.size = schema.bytes.size();
    events.push_back({std::move(registered), {}, {}, 0});
  }
  actor_ = last_actor_ = PIEVT_TRY(last_actor_number(rocks_)) + 1;
  events.push_back({actor_event(actor_, ::getuid(), self), {}, {}, 0});
  schema::WriterOpenedT opened;
  opened.epoch = epoch_;
  opened.process = to_schema(self);
  opened.uid = ::getuid();
  opened.program = self.program;
  opened.pievt_version = PIEVT_VERSION;
  opened.after_crash = !store_is_new && !PIEVT_TRY(closed_in_good_order(rocks_));
  events.push_back({std::move(opened), {}, {}, 0});

  WriteSet set(rocks_);
  put_actor(set, actor_, self.program);
  set.remove(Family::meta, "closed");
  PIEVT_TRY(rocks_.write(std::move(set), Durability::memory));

  const StreamEvents own{"store", Expected::any(), std::move(events)};
  const EncodedAppend encoded = PIEVT_TRY(EncodedAppend::encode(std::span(&own, 1)));
  PIEVT_TRY(append(encoded.impl()));
  return {};
}

Status WriterRole::serve() {
  server_ = PIEVT_TRY(Server::start(*this, place_));
  return {};
}

Status WriterRole::put(Family family, std::string_view key, std::string_view value,
                       Durability durability) {
  if (failed_) return refused();
  WriteSet set(rocks_);
  set.put(family, key, value);
  return rocks_.write(std::move(set), durability);
}

Result<std::uint32_t> WriterRole::declare_actor(const Owner& process, std::uint32_t uid) {
  const std::uint32_t number = ++last_actor_;
  WriteSet set(rocks_);
  put_actor(set, number, process.program);
  PIEVT_TRY(rocks_.write(std::move(set), Durability::memory));
  StreamEvents own{"store", Expected::any(), {}};
  own.events.push_back({actor_event(number, uid, process), {}, {}, 0});
  const EncodedAppend encoded = PIEVT_TRY(
      EncodedAppend::encode(std::span(&own, 1), {.id = {}, .durability = Durability::wal}));
  PIEVT_TRY(append(encoded.impl()));
  return number;
}

Result<Revision> WriterRole::stream_head(std::string_view stream) {
  const std::scoped_lock lock(streams_mutex_);
  const StreamHead* head = PIEVT_TRY(committer_->streams().find(stream));
  return Revision{head->revision};
}

std::optional<std::chrono::steady_clock::time_point> WriterRole::wake_owed_at() {
  const std::scoped_lock lock(head_mutex_);
  return head_.owed_at();
}

void WriterRole::wake_owed() {
  const std::scoped_lock lock(head_mutex_);
  static_cast<void>(head_.flush_owed());
}

Status WriterRole::close() {
  server_.reset();
  schema::WriterClosedT closed;
  closed.epoch = epoch_;
  StreamEvents own{"store", Expected::any(), {}};
  own.events.push_back({std::move(closed), {}, {}, 0});
  const EncodedAppend encoded = PIEVT_TRY(EncodedAppend::encode(std::span(&own, 1)));
  Status result;
  if (const auto said = append(encoded.impl()); !said.ok()) result = said.error();
  if (result.ok()) result = put(Family::meta, "closed", "1", Durability::fsync);
  const Status flushed = rocks_.close();
  return result.ok() ? flushed : result;
}

}  // namespace pievt
