// See seen_writes.h.
#include "supervisor/turn/seen_writes.h"

#include <algorithm>

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;
using process::Clock;
using process::Moment;

// Some 200 bytes each. What is more is as if it had been missed.
constexpr std::size_t files_max = 100'000;

// Of one file. A log that all attempts append to has many.
constexpr std::size_t writers_max = 16;

// So long at least listening is paused, and so much longer than it took to hear.
constexpr std::chrono::milliseconds pause_min{1};
constexpr int pause_per_look = 3;

// The kernel keeps 16,384 events; with what comes meanwhile there is an end to it.
constexpr int rounds_max = 400;

}  // namespace

SeenWrites::SeenWrites(const fs::path& store) {
  auto watch = process::WriteWatch::create();
  if (!watch.ok()) return;
  watch_.emplace(std::move(*watch));
  std::error_code error;
  const fs::path real = fs::weakly_canonical(store, error);
  watch_->except((error ? store : real).string());
}

Status SeenWrites::attach(process::Poller& poller, std::uint64_t token) {
  if (!watch_) return {};
  PIEVT_TRY(poller.add(watch_->fd(), process::Interest::read, token));
  poller_ = &poller;
  token_ = token;
  return {};
}

void SeenWrites::begin(Who who, const std::string& marker, const fs::path& root, Since since) {
  // A mount that cannot be watched (another one may be): nothing will be known of it.
  if (!watch_ || !watch_->watch(root.string()).ok()) return;
  attempts_[marker] = who;
  if (since == Since::later) missed_.insert(who);
}

void SeenWrites::end(Who who) {
  std::erase_if(attempts_, [&](const auto& item) { return item.second == who; });
  missed_.erase(who);
  if (!attempts_.empty() || !watch_) return;
  watch_->clear();
  files_.clear();
}

// Whether there may be more.
bool SeenWrites::take() {
  const auto seen = watch_->read();
  if (!seen.ok()) {
    give_up();
    return false;
  }
  if (seen->missed) note_missed();
  for (const process::SeenWrite& write : seen->writes) note(write);
  return seen->more;
}

// Whoever cannot be listened to any more is no reason to end a run: what was seen stays true.
void SeenWrites::give_up() {
  note_missed();
  if (poller_ != nullptr && !paused_until_) static_cast<void>(poller_->remove(watch_->fd()));
  paused_until_.reset();
  watch_.reset();
}

Status SeenWrites::look() {
  if (!watch_) return {};
  const Moment began = Clock::now();
  take();
  if (!watch_ || poller_ == nullptr || paused_until_) return {};
  const Moment now = Clock::now();
  PIEVT_TRY(poller_->remove(watch_->fd()));
  paused_until_ = now + std::max<Clock::duration>(pause_min, (now - began) * pause_per_look);
  return {};
}

void SeenWrites::look_at_all() {
  for (int round = 0; watch_ && round < rounds_max; ++round) {
    if (!take()) return;
  }
}

Status SeenWrites::listen(Moment now) {
  if (!paused_until_ || now < *paused_until_) return {};
  paused_until_.reset();
  return poller_->add(watch_->fd(), process::Interest::read, token_);
}

void SeenWrites::note(const process::SeenWrite& write) {
  // Another run's process is no business of ours; of one that is not known it may be.
  const auto who = attempts_.find(write.attempt);
  if (who == attempts_.end() && !write.attempt.empty()) return;
  auto found = files_.find(write.file);
  if (found == files_.end()) {
    if (files_.size() >= files_max) return note_missed();
    found = files_.emplace(write.file, File()).first;
  }
  File& file = found->second;
  file.path = write.path;
  auto& writers = file.by.writers;
  if (who == attempts_.end() || writers.size() >= writers_max) {
    file.by.others = true;
  } else if (std::ranges::find(writers, who->second, &ProcessWrite::who) == writers.end()) {
    writers.push_back({who->second, write.pid, write.program});
  }
}

void SeenWrites::note_missed() {
  for (const auto& [marker, who] : attempts_) missed_.insert(who);
}

SeenWriters SeenWrites::writers(const std::string& path, Who who) const {
  if (files_.empty()) return {};
  const auto id = process::identify_file(path);
  const auto found = id ? files_.find(*id) : files_.end();
  if (found == files_.end()) return {};
  SeenWriters by = found->second.by;
  by.others = by.others || missed_.contains(who);
  return by;
}

std::vector<OutsideWrite> SeenWrites::outside(Who who, const fs::path& root) const {
  std::vector<OutsideWrite> writes;
  for (const auto& [id, file] : files_) {
    const auto& writers = file.by.writers;
    const auto wrote = std::ranges::find(writers, who, &ProcessWrite::who);
    if (wrote == writers.end()) continue;
    const fs::path inside = fs::path(file.path).lexically_relative(root);
    if (inside.empty() || *inside.begin() != "..") continue;
    if (process::identify_file(file.path) != id) continue;
    writes.push_back({file.path, *wrote});
  }
  std::ranges::sort(writes, {}, &OutsideWrite::path);
  return writes;
}

}  // namespace pievt::supervisor
