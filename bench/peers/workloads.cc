#include "bench/peers/workloads.h"

#include <algorithm>
#include <barrier>
#include <numeric>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "tools/measure/latencies.h"

namespace pievt::bench {
namespace {

using measure::Clock;
using measure::Latencies;
using measure::Line;

constexpr std::size_t clients_at_once = 64;

Line empty_line(const Started& started, std::string_view shape, std::string_view work) {
  return {.name = fmt::format("peers.{}.{}", shape, started.row.key),
          .work = fmt::format("{}: {}", started.row.name, work),
          .durability = std::string(started.row.durability),
          .skipped = started.skipped};
}

// The rest of a run goes on without a peer that has failed, and its line says why.
void give_up(Started& started, const Error& error) {
  started.skipped = error.what;
  started.peer.reset();
}

// Clients are made anew: a server may have dropped the ones of the work before.
std::vector<std::unique_ptr<Client>> connect(Started& started, std::size_t count) {
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < count && started.peer != nullptr; ++i) {
    Result<std::unique_ptr<Client>> client = started.peer->connect();
    if (client.ok()) {
      clients.push_back(std::move(client).value());
    } else {
      give_up(started, client.error());
    }
  }
  return clients;
}

Result<Latencies> all_at_once(std::vector<std::unique_ptr<Client>>& clients, double seconds) {
  std::vector<Latencies> latencies(clients.size());
  std::vector<std::optional<Error>> errors(clients.size());
  std::barrier start(static_cast<std::ptrdiff_t>(clients.size()));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] {
      clients[i]->prepare(1);
      start.arrive_and_wait();
      const auto end = Clock::now() + std::chrono::duration<double>(seconds);
      while (Clock::now() < end && !errors[i]) {
        auto [done, ns] = measure::timed([&] { return clients[i]->append(1); });
        if (!done.ok()) errors[i] = done.error();
        latencies[i].add(ns);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Latencies all;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (errors[i]) return *errors[i];
    all.add(latencies[i]);
  }
  return all;
}

// Work that is done before the clock starts is done all the same when there are clients for every
// processor.
bool is_prepared(const Started& started) {
  return started.row.key == "pievt-encoded";
}

// Medians of single appends against the plain file's, or rates against its rate one by one.
void put_beside(std::vector<Line>& lines, std::string_view file_name) {
  const auto file = std::ranges::find(lines, file_name, &Line::name);
  if (file == lines.end() || !file->latency) return;
  const measure::Percentiles latency = *file->latency;
  for (Line& line : lines) {
    if (!line.latency || line.name == file_name) continue;
    line.beside = measure::Beside{"write + fdatasync of the same bytes", latency,
                                  latency.p50_us / line.latency->p50_us};
  }
}

}  // namespace

std::vector<Started> start_all(const std::filesystem::path& directory) {
  std::vector<Started> all;
  for (const PeerRow& row : all_peers()) {
    const std::filesystem::path place = directory / row.key;
    std::filesystem::create_directory(place);
    Result<std::unique_ptr<Peer>> peer = row.start(place);
    Started started{row, nullptr, {}};
    if (peer.ok()) {
      started.peer = std::move(peer).value();
    } else {
      started.skipped = peer.error().what;
    }
    all.push_back(std::move(started));
  }
  return all;
}

std::vector<Line> one_client(std::vector<Started>& peers, std::size_t events, double seconds) {
  std::vector<std::vector<std::unique_ptr<Client>>> clients;
  for (Started& started : peers) clients.push_back(connect(started, 1));
  std::vector<Latencies> latencies(peers.size());
  // Who comes after whom is drawn anew for each turn: what one leaves in the caches and on the disk
  // falls on all of them.
  std::vector<std::size_t> order(peers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 dice(1);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (std::size_t turn = 0; turn < 20 || Clock::now() < end; ++turn) {
    std::ranges::shuffle(order, dice);
    for (const std::size_t i : order) {
      if (peers[i].peer == nullptr) continue;
      clients[i][0]->prepare(events);
      auto [done, ns] = measure::timed([&] { return clients[i][0]->append(events); });
      // The first turns warm caches and prepare statements.
      if (turn >= 3) latencies[i].add(ns);
      if (done.ok()) continue;
      clients[i].clear();
      give_up(peers[i], done.error());
    }
  }
  std::vector<Line> lines;
  const std::string shape = fmt::format("1x{}", events);
  for (std::size_t i = 0; i < peers.size(); ++i) {
    Line line = empty_line(peers[i], shape, fmt::format("1 client, {} an append", events));
    if (line.skipped.empty()) {
      line.operations = latencies[i].count();
      line.latency = latencies[i].percentiles();
      line.events_per_s =
          static_cast<double>(latencies[i].count() * events) / latencies[i].seconds();
    }
    lines.push_back(std::move(line));
  }
  put_beside(lines, fmt::format("peers.{}.file", shape));
  return lines;
}

std::vector<Line> many_clients(std::vector<Started>& peers, int rounds) {
  constexpr double seconds = 0.5;
  std::vector<Latencies> latencies(peers.size());
  Latencies file_alone;
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (is_prepared(peers[i])) continue;
      if (peers[i].row.key == "file") {
        // The measure of all: one after the other, in the same round.
        auto alone = connect(peers[i], 1);
        Result<Latencies> result = all_at_once(alone, seconds);
        if (result.ok()) file_alone.add(*result);
      }
      auto clients = connect(peers[i], clients_at_once);
      if (peers[i].peer == nullptr) continue;
      Result<Latencies> result = all_at_once(clients, seconds);
      if (result.ok()) {
        latencies[i].add(*result);
      } else {
        clients.clear();
        give_up(peers[i], result.error());
      }
    }
  }
  const double file_rate = static_cast<double>(file_alone.count()) / file_alone.seconds();
  std::vector<Line> lines;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (is_prepared(peers[i])) continue;
    Line line = empty_line(peers[i], "64x1", "64 clients, 1 an append");
    if (line.skipped.empty()) {
      line.operations = latencies[i].count();
      line.latency = latencies[i].percentiles();
      // The clients' time overlaps, so the time that has passed is a 64th of its sum.
      line.events_per_s =
          static_cast<double>(latencies[i].count()) / (latencies[i].seconds() / clients_at_once);
      line.beside = measure::Beside{"one write + fdatasync after the other",
                                    file_alone.percentiles(), line.events_per_s / file_rate};
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace pievt::bench
