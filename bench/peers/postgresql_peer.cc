// PostgreSQL in a cluster of its own, with its defaults: each append is a statement, and synced.
#include "bench/peers/peer.h"

#if PIEVT_BENCH_POSTGRESQL

#include <vector>

#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>
#include <libpq-fe.h>

#include "bench/peers/server.h"

namespace pievt::bench {
namespace {

struct Free {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgConnection = std::unique_ptr<PGconn, Free>;
using PgResult = std::unique_ptr<PGresult, Free>;

Status check(PGconn* connection, const PgResult& result) {
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) return {};
  return Error{Errc::io, fmt::format("PostgreSQL: {}", PQerrorMessage(connection))};
}

Status run(PGconn* connection, const char* sql) {
  const PgResult result(PQexec(connection, sql));
  return check(connection, result);
}

// One statement with as many rows as the append has events, prepared before.
class PostgresClient final : public Client {
 public:
  explicit PostgresClient(PgConnection connection) : connection_(std::move(connection)) {}

  void prepare(std::size_t events) override {
    if (events == prepared_) return;
    prepared_ = events;
    values_.assign(events, payload().data());
    sizes_.assign(events, static_cast<int>(payload().size()));
    formats_.assign(events, 1);
    std::string sql = "insert into events(data) values ($1::bytea)";
    for (std::size_t i = 2; i <= events; ++i) sql += fmt::format(",(${}::bytea)", i);
    name_ = fmt::format("insert_{}", events);
    const PgResult result(PQprepare(connection_.get(), name_.c_str(), sql.c_str(),
                                    static_cast<int>(events), nullptr));
  }

  Status append(std::size_t) override {
    const PgResult result(PQexecPrepared(connection_.get(), name_.c_str(),
                                         static_cast<int>(values_.size()), values_.data(),
                                         sizes_.data(), formats_.data(), 1));
    return check(connection_.get(), result);
  }

 private:
  PgConnection connection_;
  std::size_t prepared_ = 0;
  std::string name_;
  std::vector<const char*> values_;
  std::vector<int> sizes_, formats_;
};

class PostgresPeer final : public Peer {
 public:
  PostgresPeer(Server server, std::uint16_t port) : server_(std::move(server)), port_(port) {}

  Result<PgConnection> open() const {
    const std::string where =
        fmt::format("host=127.0.0.1 port={} user=bench dbname=postgres", port_);
    PgConnection connection(PQconnectdb(where.c_str()));
    if (PQstatus(connection.get()) == CONNECTION_OK) return connection;
    return Error{Errc::io, fmt::format("PostgreSQL: {}", PQerrorMessage(connection.get()))};
  }

  Result<std::unique_ptr<Client>> connect() override {
    PgConnection connection = PIEVT_TRY(open());
    return std::unique_ptr<Client>(std::make_unique<PostgresClient>(std::move(connection)));
  }

 private:
  Server server_;
  std::uint16_t port_;
};

// It takes connections to say that it is starting up, so asking until it agrees is what its own
// tools do.
Result<PgConnection> first_connection(const PostgresPeer& peer) {
  for (int tries = 1;; ++tries) {
    Result<PgConnection> connection = peer.open();
    if (connection.ok() || tries == 200) return connection;
    ::usleep(50'000);
  }
}

}  // namespace

Result<std::unique_ptr<Peer>> start_postgresql(const std::filesystem::path& directory) {
  const std::string initdb = PIEVT_TRY(find_server("initdb", "postgresql-15"));
  const std::string program = PIEVT_TRY(find_server("postgres", "postgresql-15"));
  const std::uint16_t port = PIEVT_TRY(free_port());
  const std::filesystem::path data = directory / "data";
  std::filesystem::create_directory(data);
  RunAs as;
  const RunAs* who = nullptr;
  if (::geteuid() == 0) {
    // It refuses to run as root; its package has made a user. That one must get to its directory.
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr) return Error{Errc::unsupported, "there is no user postgres to run it as"};
    as = {user->pw_uid, user->pw_gid};
    who = &as;
    for (const auto& place : {directory.parent_path(), directory})
      std::filesystem::permissions(place, std::filesystem::perms::others_exec,
                                   std::filesystem::perm_options::add);
    if (::chown(data.c_str(), as.user, as.group) != 0)
      return Error{Errc::io, "giving PostgreSQL its directory"};
  }
  PIEVT_TRY(run_program({initdb, "-D", data.string(), "-A", "trust", "-U", "bench"},
                        directory / "initdb.log", who));
  Server server =
      PIEVT_TRY(Server::start({program, "-D", data.string(), "-p", std::to_string(port), "-c",
                               "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="},
                              directory / "server.log", who));
  PIEVT_TRY(server.wait_for_port(port));
  auto peer = std::make_unique<PostgresPeer>(std::move(server), port);
  const PgConnection first = PIEVT_TRY(first_connection(*peer));
  PIEVT_TRY(run(first.get(), "create table events(sequence bigserial primary key, data bytea)"));
  return std::unique_ptr<Peer>(std::move(peer));
}

}  // namespace pievt::bench

#else

namespace pievt::bench {

Result<std::unique_ptr<Peer>> start_postgresql(const std::filesystem::path&) {
  return Error{Errc::unsupported,
               "libpq-dev was missing when this was built; scripts/setup bench brings it"};
}

}  // namespace pievt::bench

#endif
