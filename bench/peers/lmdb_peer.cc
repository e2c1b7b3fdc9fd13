// LMDB with its defaults: each append is a transaction, and synced.
#include "bench/peers/peer.h"

#if PIEVT_BENCH_LMDB

#include <cstdint>

#include <lmdb.h>

#include <fmt/format.h>

#include "store/format/keys.h"

namespace pievt::bench {
namespace {

Status check(int code) {
  if (code == 0) return {};
  return Error{Errc::io, fmt::format("LMDB: {}", mdb_strerror(code))};
}

struct Close {
  void operator()(MDB_env* env) const { mdb_env_close(env); }
};

struct Shared {
  std::unique_ptr<MDB_env, Close> env;
  MDB_dbi events = 0;
  std::uint64_t next = 1;  ///< touched inside a transaction, of which there is one at a time
};

class LmdbClient final : public Client {
 public:
  explicit LmdbClient(Shared& shared) : shared_(shared) {}

  Status append(std::size_t events) override {
    MDB_txn* transaction = nullptr;
    PIEVT_TRY(check(mdb_txn_begin(shared_.env.get(), nullptr, 0, &transaction)));
    for (std::size_t i = 0; i < events; ++i) {
      std::string name = format::log_key(shared_.next++);
      MDB_val key{name.size(), name.data()};
      MDB_val value{payload().size(), const_cast<char*>(payload().data())};
      const int put = mdb_put(transaction, shared_.events, &key, &value, MDB_APPEND);
      if (put == 0) continue;
      mdb_txn_abort(transaction);
      return check(put);
    }
    return check(mdb_txn_commit(transaction));
  }

 private:
  Shared& shared_;
};

class LmdbPeer final : public Peer {
 public:
  explicit LmdbPeer(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}
  Result<std::unique_ptr<Client>> connect() override {
    return std::unique_ptr<Client>(std::make_unique<LmdbClient>(*shared_));
  }

 private:
  std::unique_ptr<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<Peer>> start_lmdb(const std::filesystem::path& directory) {
  auto shared = std::make_unique<Shared>();
  MDB_env* env = nullptr;
  PIEVT_TRY(check(mdb_env_create(&env)));
  shared->env.reset(env);
  PIEVT_TRY(check(mdb_env_set_mapsize(env, std::size_t{8} << 30)));
  PIEVT_TRY(check(mdb_env_open(env, directory.c_str(), 0, 0600)));
  MDB_txn* transaction = nullptr;
  PIEVT_TRY(check(mdb_txn_begin(env, nullptr, 0, &transaction)));
  PIEVT_TRY(check(mdb_dbi_open(transaction, nullptr, 0, &shared->events)));
  PIEVT_TRY(check(mdb_txn_commit(transaction)));
  return std::unique_ptr<Peer>(std::make_unique<LmdbPeer>(std::move(shared)));
}

}  // namespace pievt::bench

#else

namespace pievt::bench {

Result<std::unique_ptr<Peer>> start_lmdb(const std::filesystem::path&) {
  return Error{Errc::unsupported,
               "liblmdb-dev was missing when this was built; scripts/setup bench brings it"};
}

}  // namespace pievt::bench

#endif
