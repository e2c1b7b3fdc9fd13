// SQLite in WAL mode, each append a transaction that is synced. All clients share one connection,
// one after the other: many connections would only wait for each other's locks, asleep.
#include "bench/peers/peer.h"

#if PIEVT_BENCH_SQLITE

#include <mutex>

#include <sqlite3.h>

#include <fmt/format.h>

namespace pievt::bench {
namespace {

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

struct Shared {
  Database db;
  Statement insert;
  std::mutex mutex;
};

Status run(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return Error{Errc::io, fmt::format("SQLite: {}: {}", sql, sqlite3_errmsg(db))};
}

class SqliteClient final : public Client {
 public:
  explicit SqliteClient(Shared& shared) : shared_(shared) {}

  Status append(std::size_t events) override {
    const std::lock_guard lock(shared_.mutex);
    sqlite3* const db = shared_.db.get();
    if (events > 1) PIEVT_TRY(run(db, "begin"));
    for (std::size_t i = 0; i < events; ++i) {
      sqlite3_stmt* const insert = shared_.insert.get();
      sqlite3_reset(insert);
      sqlite3_bind_blob(insert, 1, payload().data(), static_cast<int>(payload().size()),
                        SQLITE_STATIC);
      if (sqlite3_step(insert) != SQLITE_DONE)
        return Error{Errc::io, fmt::format("SQLite: inserting: {}", sqlite3_errmsg(db))};
    }
    sqlite3_reset(shared_.insert.get());
    return events > 1 ? run(db, "commit") : Status();
  }

 private:
  Shared& shared_;
};

class SqlitePeer final : public Peer {
 public:
  explicit SqlitePeer(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
  Result<std::unique_ptr<Client>> connect() override {
    return std::unique_ptr<Client>(std::make_unique<SqliteClient>(*shared_));
  }

 private:
  std::unique_ptr<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<Peer>> start_sqlite(const std::filesystem::path& directory) {
  auto shared = std::make_unique<Shared>();
  sqlite3* db = nullptr;
  const int opened = sqlite3_open((directory / "events.db").c_str(), &db);
  shared->db.reset(db);
  if (opened != SQLITE_OK) return Error{Errc::io, "SQLite: opening a database"};
  PIEVT_TRY(run(db, "pragma journal_mode=wal"));
  PIEVT_TRY(run(db, "pragma synchronous=full"));
  PIEVT_TRY(run(db, "create table events(sequence integer primary key, data blob not null)"));
  sqlite3_stmt* insert = nullptr;
  if (sqlite3_prepare_v2(db, "insert into events(data) values(?)", -1, &insert, nullptr) !=
      SQLITE_OK)
    return Error{Errc::io, fmt::format("SQLite: preparing: {}", sqlite3_errmsg(db))};
  shared->insert.reset(insert);
  return std::unique_ptr<Peer>(std::make_unique<SqlitePeer>(std::move(shared)));
}

}  // namespace pievt::bench

#else

namespace pievt::bench {

Result<std::unique_ptr<Peer>> start_sqlite(const std::filesystem::path&) {
  return Error{Errc::unsupported,
               "libsqlite3-dev was missing when this was built; scripts/setup bench brings it"};
}

}  // namespace pievt::bench

#endif
