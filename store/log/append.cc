// The line of those who append: who waits for whom, and what the one at its head does for all.
#include <algorithm>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/log/server.h"
#include "store/log/writer_role.h"

namespace pievt {

// Appends that entered together, and whoever waits for them.
struct WriterRole::Party {
  enum State : int { waiting, done, leads };
  // Atomic waits are one futex per party: nobody wakes who need not. notify_one() touches only the
  // address, so it is harmless when the party has already returned.
  std::atomic<int> state = waiting;
  std::atomic<std::size_t> left = 0;
};

struct WriterRole::Waiter {
  GroupMember* member;
  Party* party;
};

namespace {

// A group is bounded so that the first in line does not wait for megabytes of others.
constexpr std::size_t group_bytes_max = 4u << 20;
constexpr std::size_t group_members_max = 1024;

}  // namespace

std::vector<WriterRole::Waiter*> WriterRole::take_group() {
  const std::scoped_lock lock(mutex_);
  std::vector<Waiter*> group;
  std::size_t bytes = 0;
  while (!queue_.empty() && group.size() < group_members_max) {
    bytes += queue_.front()->member->append->bodies.size();
    if (!group.empty() && bytes > group_bytes_max) break;
    group.push_back(queue_.front());
    queue_.pop_front();
  }
  return group;
}

void WriterRole::hand_over() {
  const std::scoped_lock lock(mutex_);
  if (queue_.empty()) {
    somebody_leads_ = false;
    return;
  }
  Party* next = queue_.front()->party;
  next->state.store(Party::leads);
  next->state.notify_one();
}

void WriterRole::fail(const Error& error) {
  // The writer reads nothing but indexes (and the last page, before it begins).
  if (!failure_ && error.code == Errc::corrupt) {
    static_cast<void>(
        write_file_atomically(place_.directory / damage_marker, error.what + "\n", 0600));
  }
  if (!failure_) failure_ = error;
  failed_ = true;
}

Error WriterRole::refused() const {
  return {failure_->code,
          fmt::format("the log takes no more appends since: {}; close it and open it again",
                      failure_->what)};
}

void WriterRole::publish(std::uint64_t last) {
  const std::scoped_lock lock(head_mutex_);
  // A hint; readers find the events without it, only later.
  static_cast<void>(head_.publish(last));
  if (head_.owed_at() && server_ != nullptr) server_->ring();
}

void WriterRole::commit_group(std::span<Waiter* const> group) {
  std::vector<GroupMember*> members;
  members.reserve(group.size());
  for (const Waiter* waiter : group) members.push_back(waiter->member);
  const Status allowed = failed_ ? Status(refused()) : lock_.still_ours();
  if (!allowed.ok()) {
    for (GroupMember* member : members) member->result = allowed.error();
    if (!failed_) fail(allowed.error());
    return;
  }
  const std::uint64_t last_before = committer_->last();
  const std::uint64_t handed_before = committer_->handed();
  {
    const std::scoped_lock lock(streams_mutex_);
    committer_->commit(members);
  }
  // Refusals by rule leave the log as it was; an error of the machine ends it.
  for (const GroupMember* member : members) {
    if (member->result.ok()) continue;
    const Errc code = member->result.error().code;
    if (code == Errc::io || code == Errc::no_space || code == Errc::corrupt)
      fail(member->result.error());
  }
  const std::uint64_t last = committer_->last();
  committed_->store(last, std::memory_order_release);
  // What is only in memory must not be announced: after our death HEAD would promise what nobody
  // has.
  if (committer_->handed() > handed_before) publish(committer_->handed());
  if (last > last_before && ++commits_since_flush_ >= limits::wal_commits_max) {
    commits_since_flush_ = 0;
    if (const Status flushed = rocks_.start_flush(); !flushed.ok()) fail(flushed.error());
  }
}

void WriterRole::lead() {
  const std::vector<Waiter*> group = take_group();
  commit_group(group);
  hand_over();
  for (const Waiter* waiter : group) {
    Party* party = waiter->party;
    if (party->left.fetch_sub(1) > 1) continue;
    party->state.store(Party::done, std::memory_order_release);
    party->state.notify_one();
  }
}

void WriterRole::append_all(std::span<GroupMember> members) {
  if (members.empty()) return;
  Party party;
  party.left = members.size();
  std::vector<Waiter> waiters;
  waiters.reserve(members.size());
  for (GroupMember& member : members) waiters.push_back({&member, &party});
  {
    const std::scoped_lock lock(mutex_);
    for (Waiter& waiter : waiters) queue_.push_back(&waiter);
    if (!somebody_leads_) {
      somebody_leads_ = true;
      party.state.store(Party::leads);
    }
  }
  for (;;) {
    party.state.wait(Party::waiting);
    int is = Party::leads;
    if (!party.state.compare_exchange_strong(is, Party::waiting)) return;
    lead();
  }
}

Result<Appended> WriterRole::append(const EncodedAppend::Impl& append) {
  GroupMember member{&append, actor_, Appended{}};
  append_all(std::span(&member, 1));
  return std::move(member.result);
}

}  // namespace pievt
