// Server and client over a real socket, both in this process: the test turns the supervisor's loop.
#include "supervisor/control/server.h"

#include <future>

#include <sys/socket.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "supervisor/control/client.h"
#include "supervisor/launch/run_lock.h"

namespace pievt::control {
namespace {

constexpr std::uint64_t first_token = 1ull << 32;

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Longer than a socket's address may be.
    store_ = std::filesystem::path(::testing::TempDir()) /
             (std::string(120, 's') + std::to_string(::getpid()));
    std::filesystem::create_directories(store_);
    ASSERT_TRUE(launch::make_run_directory(store_, "r1").ok());
    directory_ = launch::run_directory(store_, "r1");
    poller_.emplace(process::Poller::create().value());
    auto server = Server::listen(directory_, "r1", "pievt run", *poller_, first_token);
    ASSERT_TRUE(server.ok()) << server.error().what;
    server_ = std::move(*server);
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(store_);
  }

  // One turn: whatever is ready is taken. The deadline is for looking at the client's thread, whose
  // end wakes nobody.
  void turn() {
    const auto deadline = process::Clock::now() + std::chrono::milliseconds(20);
    const auto woken = poller_->wait(deadline);
    ASSERT_TRUE(woken.ok());
    const std::vector<process::Wakeup> all(woken->begin(), woken->end());
    for (const process::Wakeup& wakeup : all) ASSERT_TRUE(server_->woken(wakeup).ok());
  }

  // Turns until `done`.
  template <class Done>
  void turn_until(Done done) {
    while (!done() && !HasFatalFailure()) turn();
  }

  template <class T>
  T turn_for(std::future<T> future) {
    turn_until(
        [&] { return future.wait_for(std::chrono::milliseconds(0)) == std::future_status::ready; });
    return future.get();
  }

  // The client waits, so it has a thread of its own.
  Result<Connection> connect(const std::string& run = "r1") {
    return turn_for(std::async(
        std::launch::async, [this, run] { return Connection::open(store_, run, "test", soon()); }));
  }

  std::filesystem::path store_, directory_;
  std::optional<process::Poller> poller_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, TheSocketIsTheOwnersAlone) {
  struct stat file {};
  ASSERT_EQ(::stat((directory_ / "SOCKET").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(directory_ / "SOCKET"));
  EXPECT_EQ(Connection::open(store_, "r1", "test", soon()).error().code, Errc::not_found);
}

TEST_F(ServerTest, AsksAndIsAnswered) {
  auto connection = connect();
  ASSERT_TRUE(connection.ok()) << connection.error().what;
  EXPECT_EQ(connection->supervisor().program, "pievt run");
  EXPECT_EQ(connection->supervisor().pid, static_cast<std::uint32_t>(::getpid()));

  auto asking = std::async(std::launch::async, [&] {
    return connection->ask(Stop{schema::StopMode::now, "enough"}, soon());
  });
  std::vector<Server::Asked> asked;
  turn_until([&] { return !(asked = server_->take_asked()).empty(); });
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].client.program, "test");
  EXPECT_EQ(asked[0].client.peer.uid, ::getuid());
  EXPECT_EQ(asked[0].client.peer.pid, ::getpid());
  EXPECT_EQ(std::get<Stop>(asked[0].request.action).reason, "enough");
  server_->answer(asked[0].from, Answer{asked[0].request.number, Answer::Done{12, "stopped", {}}});
  const auto answer = asking.get();
  ASSERT_TRUE(answer.ok()) << answer.error().what;
  EXPECT_EQ(answer->revision, 12u);
  EXPECT_EQ(answer->what, "stopped");
}

TEST_F(ServerTest, ASocketOfAnotherRunRefuses) {
  ASSERT_TRUE(launch::make_run_directory(store_, "r2").ok());
  std::filesystem::remove(launch::run_directory(store_, "r2") / "SOCKET");
  std::filesystem::create_hard_link(directory_ / "SOCKET",
                                    launch::run_directory(store_, "r2") / "SOCKET");
  const auto connection = connect("r2");
  ASSERT_FALSE(connection.ok());
  EXPECT_EQ(connection.error().code, Errc::not_found);
}

TEST_F(ServerTest, WhoHoldsTheRunIsMissed) {
  {
    auto connection = connect();
    ASSERT_TRUE(connection.ok());
    auto asking = std::async(std::launch::async, [&] {
      return connection->ask(Hold{schema::CallerGone::stop}, soon());
    });
    std::vector<Server::Asked> asked;
    turn_until([&] { return !(asked = server_->take_asked()).empty(); });
    server_->answer(asked[0].from, Answer{asked[0].request.number, Answer::Done{}});
    EXPECT_TRUE(asking.get().ok());
    EXPECT_EQ(server_->holders(), 1u);
  }
  std::vector<Server::Gone> gone;
  turn_until([&] { return !(gone = server_->take_gone()).empty(); });
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].when_gone, schema::CallerGone::stop);
  EXPECT_EQ(gone[0].client.peer.pid, ::getpid());
  EXPECT_EQ(server_->holders(), 0u);
}

TEST_F(ServerTest, SubscribersAreToldAndTheEndAlways) {
  auto connection = connect();
  ASSERT_TRUE(connection.ok());
  auto asking =
      std::async(std::launch::async, [&] { return connection->ask(Subscribe{}, soon()); });
  std::vector<Server::Asked> asked;
  turn_until([&] { return !(asked = server_->take_asked()).empty(); });
  server_->answer(asked[0].from, Answer{asked[0].request.number, Answer::Done{}});
  ASSERT_TRUE(asking.get().ok());
  ASSERT_TRUE(server_->has_subscribers());
  Progress progress;
  progress.revision = 5;
  server_->publish(progress, Server::Tell::who_reads);
  progress.phase = state::RunPhase::finished;
  server_->publish(progress, Server::Tell::always);
  const auto first = connection->next_progress(soon());
  ASSERT_TRUE(first.ok() && *first);
  EXPECT_EQ((*first)->revision, 5u);
  const auto second = connection->next_progress(soon());
  ASSERT_TRUE(second.ok() && *second);
  EXPECT_EQ((*second)->phase, state::RunPhase::finished);
  server_.reset();
  EXPECT_EQ(connection->next_progress(soon()).error().code, Errc::not_found);
}

TEST_F(ServerTest, NonsenseAndFloodsEndTheConnection) {
  for (const bool flood : {false, true}) {
    Fd stranger = connect_to(directory_).value();
    ByteStream stream(std::move(stranger));
    if (flood) {
      stream.queue(frame_of(Hello{protocol, "r1", "flood"}));
      for (std::uint64_t i = 0; i < 1000; ++i) stream.queue(frame_of(Request{i, AskStatus{}}));
    } else {
      const std::string words = "GET / HTTP/1.0\r\n\r\n";
      stream.queue(std::as_bytes(std::span(words)));
    }
    bool ended = false;
    turn_until([&] {
      const bool gone = stream.flush() == ByteStream::State::ended;
      ended = gone || stream.receive(1u << 20) == ByteStream::State::ended;
      return ended;
    });
    EXPECT_TRUE(ended);
    EXPECT_LE(server_->take_asked().size(), 256u);
  }
  EXPECT_TRUE(connect().ok()) << "others are served as before";
}

}  // namespace
}  // namespace pievt::control
