// Opening, closing and changing seats: who may write, and what becomes of an append in each seat.
#include <thread>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "pievt/shell_word.h"
#include "store/log/beginning.h"
#include "store/log/index_check.h"
#include "store/log/log_impl.h"
#include "store/log/stored_page.h"

namespace pievt {

Log::Impl::Impl(StorePlace where) : place(std::move(where)) {}
Log::Impl::~Impl() = default;

// See upkeep/open.cc for what becomes of a store that is damaged.
Result<Log> Log::Impl::open(const std::filesystem::path& directory, const OpenOptions& options) {
  const StoreIdentity identity = PIEVT_TRY(
      options.mode == OpenMode::create ? create_store(directory) : read_identity(directory));
  if (options.mode != OpenMode::read) PIEVT_TRY(refuse_backup(directory));
  auto impl =
      std::make_unique<Impl>(StorePlace{directory, identity, options.mode, options.program});
  PIEVT_TRY(options.mode == OpenMode::read ? impl->open_to_read() : impl->open_to_write(options));
  return Log(std::move(impl));
}

Status Log::Impl::open_to_read() {
  if (PIEVT_TRY(log_is_new(place))) {
    return Error{Errc::not_found,
                 fmt::format("the store {} has no log yet", place.directory.string())};
  }
  return open_secondary();
}

Status Log::Impl::open_secondary() {
  Rocks rocks = PIEVT_TRY(Rocks::open_reader(log_directory(place.directory)));
  secondary_ = std::make_unique<Secondary>(
      std::move(rocks), [this](Family family, std::string_view key, std::string_view value) {
        return put_value(family, key, value);
      });
  PIEVT_TRY(refresh());
  PIEVT_TRY(mistrust_index());
  return take_key();
}

// Events can be read without the key, and that is most of what there is to save. Who writes would
// give texts digests that are none of this store.
Status Log::Impl::take_key() {
  const auto key = load_blob_key(secondary_->rocks);
  if (key.ok() && (*key || committed == 0)) {
    secondary_->blobs.set_key(key->value_or(BlobKey{}));
    return {};
  }
  if (!key.ok() && (place.mode != OpenMode::read || key.error().code != Errc::corrupt))
    return key.error();
  // What the database says is wrong, without its advice: this sentence has its own.
  const std::string state =
      key.ok()
          ? "gone"
          : fmt::format("damaged ({})", key.error().what.substr(0, key.error().what.find(';')));
  Error why{Errc::corrupt,
            fmt::format("no text of {} can be compared with its digest, because the key for that "
                        "is {}. Restore a backup, or save what is left: {}",
                        place.directory.string(), state, salvage_command(place.directory))};
  if (mended.empty()) mended = why.what;
  secondary_->blobs.lack_key(std::move(why));
  return {};
}

Result<Log> Log::Impl::open_unpublished(const std::filesystem::path& directory) {
  const StoreIdentity identity = PIEVT_TRY(read_identity(directory));
  auto impl = std::make_unique<Impl>(StorePlace{directory, identity, OpenMode::read, ""});
  Rocks rocks = PIEVT_TRY(Rocks::open_writer(log_directory(directory), Rocks::Create::never));
  impl->secondary_ = std::make_unique<Secondary>(std::move(rocks), ValuePut());
  impl->unpublished_ = true;
  const auto last = PIEVT_TRY(load_last_page(impl->rocks(), impl->place.identity.short_id()));
  impl->committed = last ? last->last() : 0;
  PIEVT_TRY(impl->take_key());
  return Log(std::move(impl));
}

// A look at the last page tells whether the index is the log's, and whether the index knows of
// pages that are not there. A secondary beside a living writer may also be not up to date, which
// passes.
Status Log::Impl::mistrust_index() {
  const auto deadline = std::chrono::steady_clock::now() + limits::catch_up_max;
  for (;;) {
    const auto last = PIEVT_TRY(load_last_page(secondary_->rocks, place.identity.short_id()));
    if (last && last->view().is_lost()) return {};
    const Status leads = last ? check_stream_index(secondary_->rocks, *last) : Status();
    if (last && leads.ok()) return {};
    if (!leads.ok() && leads.error().code != Errc::corrupt) return leads;
    if (!last && PIEVT_TRY(highest_indexed_page(secondary_->rocks)) == 0) return {};  // new
    if (writer_alive && std::chrono::steady_clock::now() < deadline) {
      PIEVT_TRY(refresh());
      std::this_thread::yield();
      continue;
    }
    const std::uint64_t end = last ? last->last() : 0;
    const std::uint64_t known = PIEVT_TRY(highest_indexed_page(secondary_->rocks));
    if (known > end) {
      return Error{Errc::corrupt,
                   fmt::format("the log ends with @{}, and its index knows of events up to @{}: "
                               "pages are missing. Restore a backup, or save what is left: {}",
                               end, known, salvage_command(place.directory))};
    }
    mended = fmt::format("{}; until then every answer is found in the pages, which takes longer",
                         leads.error().what);
    secondary_->pages = PIEVT_TRY(PageIndex::make(leads.error().what));
    secondary_->pages->take(secondary_->rocks, place.identity.short_id());
    return {};
  }
}

Status Log::Impl::open_to_write(const OpenOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + options.wait;
  forwarder_ = std::make_unique<Forwarder>(place, [this] { return succeed(); });
  const auto joined = PIEVT_TRY(forwarder_->join(
      options.sharing == Sharing::forwarded ? Forwarder::Seats::both : Forwarder::Seats::writer,
      deadline));
  return joined == Forwarder::Joined::as_writer ? Status() : open_secondary();
}

// Takes the writer's role if nobody has it.
Result<Forwarder::Succession> Log::Impl::succeed() {
  Result<WriterLock> lock = WriterLock::acquire(place.directory, this_process(place.program),
                                                std::chrono::milliseconds(0));
  if (!lock.ok()) {
    if (lock.error().code == Errc::busy) return Forwarder::Succession::somebody_has_it;
    return std::move(lock).error();
  }
  auto role = WriterRole::begin(
      std::move(*lock), place,
      [this](Family family, std::string_view key, std::string_view value) {
        return put_value(family, key, value);
      },
      committed);
  if (!role.ok()) {
    if (role.error().code == Errc::busy) return Forwarder::Succession::somebody_has_it;
    return std::move(role).error();
  }
  role_ = std::move(*role);
  // Without a socket (a file system may have none) there is still a writer; only nobody else can
  // append, and is told who has the store.
  static_cast<void>(role_->serve());
  writer_.store(role_.get(), std::memory_order_release);
  return Forwarder::Succession::took_over;
}

Result<Appended> Log::Impl::append(const EncodedAppend::Impl& append) {
  if (is_client()) {
    const auto deadline = std::chrono::steady_clock::now() + append.wait;
    auto done = forwarder_->append(append, deadline);
    // "Read what was added and decide again": then it must be there to be read.
    if (!done.ok() && done.error().code == Errc::conflict) PIEVT_TRY(refresh());
    if (!done.ok()) return std::move(done).error();
    if (*done) return std::move(**done);
  }
  if (WriterRole* role = writer()) return role->append(append);
  return Error{Errc::invalid,
               fmt::format("{} was opened for reading; open it for writing to append",
                           place.directory.string())};
}

Status Log::Impl::put_value(Family family, std::string_view key, std::string_view value) {
  if (is_client()) {
    const auto shelf = family == Family::blobs ? wire::Shelf::blobs : wire::Shelf::projections;
    const auto deadline = std::chrono::steady_clock::now() + limits::append_wait_default;
    const auto done = PIEVT_TRY(forwarder_->put(shelf, key, value, deadline));
    if (done) return {};
  }
  if (WriterRole* role = writer()) return role->put(family, key, value, Durability::memory);
  if (unpublished_) {
    WriteSet set(secondary_->rocks);
    set.put(family, key, value);
    return secondary_->rocks.write(std::move(set), Durability::memory);
  }
  return Error{Errc::invalid, fmt::format("{} was opened for reading; open it for writing to store",
                                          place.directory.string())};
}

Status Log::Impl::close() {
  if (unpublished_) return secondary_->rocks.close();
  WriterRole* role = writer();
  if (role == nullptr) return {};
  const Status closed = role->close();
  writer_ = nullptr;
  role_.reset();
  return closed;
}

}  // namespace pievt
