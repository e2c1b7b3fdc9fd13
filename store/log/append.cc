// The line of those who append: who waits for whom, and what the one at its head does for all.
#include <utility>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/log/latch.h"
#include "store/log/server.h"
#include "store/log/writer_role.h"

namespace pievt {

namespace {

// A group is bounded so that the first in line does not wait for megabytes of others.
constexpr std::size_t group_bytes_max = 4u << 20;
constexpr std::size_t group_members_max = 1024;

}  // namespace

// Appends that are written together. Who opens a group leads it when its turn has come; everybody
// else of it sleeps until it is done.
struct WriterRole::Group {
  std::vector<GroupMember*> members;
  std::size_t bytes = 0;
  Latch turn, done;

  bool has_room(std::size_t more) const {
    return members.size() < group_members_max && bytes + more <= group_bytes_max;
  }
  void add(GroupMember& member) {
    members.push_back(&member);
    bytes += member.append->bodies.size();
  }
};

// The group at the end of the line, with as many of `members` in it as find room.
WriterRole::Place WriterRole::stand_in_line(std::span<GroupMember> members) {
  const std::scoped_lock lock(mutex_);
  Place place;
  if (line_.empty() || !line_.back()->has_room(members.front().append->bodies.size())) {
    line_.push_back(std::make_shared<Group>());
    place.leads = true;
    if (!std::exchange(somebody_leads_, true)) line_.back()->turn.open();
  }
  place.group = line_.back();
  do {
    place.group->add(members[place.count]);
    ++place.count;
  } while (place.count < members.size() &&
           place.group->has_room(members[place.count].append->bodies.size()));
  return place;
}

// Nobody joins any more.
void WriterRole::close_first_in_line() {
  const std::scoped_lock lock(mutex_);
  line_.pop_front();
}

void WriterRole::hand_over() {
  std::shared_ptr<Group> next;
  {
    const std::scoped_lock lock(mutex_);
    somebody_leads_ = !line_.empty();
    if (somebody_leads_) next = line_.front();
  }
  if (next != nullptr) next->turn.open();
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

void WriterRole::commit_group(std::span<GroupMember* const> members) {
  const Status allowed = failed_ ? Status(refused()) : lock_.keep();
  if (!allowed.ok()) {
    for (GroupMember* member : members) member->result = allowed.error();
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

void WriterRole::append_all(std::span<GroupMember> members) {
  while (!members.empty()) {
    const Place place = stand_in_line(members);
    members = members.subspan(place.count);
    Group& group = *place.group;
    if (!place.leads) {
      group.done.wait();
      continue;
    }
    group.turn.wait();
    close_first_in_line();
    commit_group(group.members);
    hand_over();
    group.done.open();
  }
}

Result<Appended> WriterRole::append(const EncodedAppend::Impl& append) {
  GroupMember member{&append, actor_, Appended{}};
  append_all(std::span(&member, 1));
  return std::move(member.result);
}

}  // namespace pievt
