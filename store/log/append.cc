// Who waits for whom. Appends of many threads join one write: the first that finds nobody leading
// commits everything that waits by then, its own included, and hands the lead to the next one in
// line. An append that finds nobody else commits itself, without any other thread.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/log/log_impl.h"

namespace pievt {

struct WriterRole::Waiter {
  enum State : int { waiting, done, leads };
  GroupMember member;
  std::size_t bytes = 0;
  // Atomic waits are one futex per waiter: nobody wakes who need not. notify_one() touches only the
  // address, so it is harmless when the waiter has already returned.
  std::atomic<int> state = waiting;
};

namespace {

// A group is bounded so that the first in line does not wait for megabytes of others.
constexpr std::size_t group_bytes_max = 4u << 20;
constexpr std::size_t group_members_max = 1024;

std::vector<WriterRole::Waiter*> take_group(WriterRole& role) {
  const std::scoped_lock lock(role.mutex);
  std::vector<WriterRole::Waiter*> group;
  std::size_t bytes = 0;
  while (!role.queue.empty() && group.size() < group_members_max) {
    bytes += role.queue.front()->bytes;
    if (!group.empty() && bytes > group_bytes_max) break;
    group.push_back(role.queue.front());
    role.queue.pop_front();
  }
  return group;
}

void hand_over(WriterRole& role) {
  const std::scoped_lock lock(role.mutex);
  if (role.queue.empty()) {
    role.somebody_leads = false;
    return;
  }
  WriterRole::Waiter* next = role.queue.front();
  next->state.store(WriterRole::Waiter::leads);
  next->state.notify_one();
}

void fail(WriterRole& role, const Error& error) {
  if (!role.failure) role.failure = error;
  role.failed = true;
}

Error refused(const WriterRole& role) {
  return {role.failure->code,
          fmt::format("the log takes no more appends since: {}; close it and open it again",
                      role.failure->what)};
}

void commit_group(Log::Impl& log, std::span<WriterRole::Waiter* const> group) {
  WriterRole& role = *log.writer;
  std::vector<GroupMember*> members;
  Durability durability = Durability::memory;
  for (WriterRole::Waiter* waiter : group) {
    members.push_back(&waiter->member);
    durability = std::max(durability, waiter->member.append->durability);
  }
  Status allowed = role.failed ? Status(refused(role)) : role.lock.still_ours();
  if (!allowed.ok()) {
    for (GroupMember* member : members) member->result = allowed.error();
    if (!role.failed) fail(role, allowed.error());
    return;
  }
  const std::uint64_t before = role.committer.last();
  {
    const std::scoped_lock lock(role.streams_mutex);
    role.committer.commit(members);
  }
  const std::uint64_t last = role.committer.last();
  if (last == before) {
    // Refusals by rule leave the log as it was; an error of the machine ends it.
    for (const GroupMember* member : members) {
      if (member->result.ok()) continue;
      const Errc code = member->result.error().code;
      if (code == Errc::io || code == Errc::no_space || code == Errc::corrupt)
        fail(role, member->result.error());
    }
    return;
  }
  log.committed.store(last, std::memory_order_release);
  // What is only in memory must not be announced: after our death HEAD would promise what nobody
  // has.
  if (durability >= Durability::wal) {
    role.published = last;
    static_cast<void>(
        role.head.publish(last));  // a hint; readers find the events without it, only later
  }
  if (++role.commits_since_flush >= limits::wal_commits_max) {
    role.commits_since_flush = 0;
    if (const Status flushed = log.rocks.start_flush(); !flushed.ok()) fail(role, flushed.error());
  }
}

void lead(Log::Impl& log) {
  const std::vector<WriterRole::Waiter*> group = take_group(*log.writer);
  commit_group(log, group);
  hand_over(*log.writer);
  for (WriterRole::Waiter* waiter : group) {
    waiter->state.store(WriterRole::Waiter::done, std::memory_order_release);
    waiter->state.notify_one();
  }
}

}  // namespace

Result<Appended> Log::Impl::append(const EncodedAppend::Impl& append) {
  if (writer == nullptr) {
    return Error{Errc::invalid,
                 fmt::format("{} was opened for reading; open it for writing to append",
                             directory.string())};
  }
  WriterRole& role = *writer;
  WriterRole::Waiter self;
  self.member.append = &append;
  self.member.actor = role.actor;
  self.bytes = append.bodies.size();
  bool leads = false;
  {
    const std::scoped_lock lock(role.mutex);
    role.queue.push_back(&self);
    leads = !role.somebody_leads;
    role.somebody_leads = true;
  }
  if (!leads) {
    self.state.wait(WriterRole::Waiter::waiting);
    leads = self.state.load(std::memory_order_acquire) == WriterRole::Waiter::leads;
  }
  if (leads) lead(*this);
  return std::move(self.member.result);
}

}  // namespace pievt
