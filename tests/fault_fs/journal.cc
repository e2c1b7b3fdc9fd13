#include "tests/fault_fs/journal.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace pievt::faults {
namespace {

std::atomic<Journal*> the_current = nullptr;
thread_local bool performing = false;

std::optional<std::string> below(const std::filesystem::path& root, const std::string& path) {
  const std::string& top = root.native();
  if (!path.starts_with(top)) return std::nullopt;
  if (path.size() == top.size()) return ".";
  if (path[top.size()] != '/') return std::nullopt;
  std::string rest = path.substr(top.size() + 1);
  while (rest.ends_with('/')) rest.pop_back();
  return rest.empty() ? "." : rest;
}

}  // namespace

std::string describe(const Operation& operation) {
  constexpr const char* names[] = {"create", "write", "truncate", "sync",          "sync directory",
                                   "rename", "link",  "remove",   "make directory"};
  std::string text = fmt::format("{} {}", names[static_cast<int>(operation.op)], operation.path);
  if (!operation.target.empty()) text += " to " + operation.target;
  if (operation.op == Op::write) {
    text += fmt::format(" +{} at {}", operation.bytes.size(), operation.offset);
  }
  if (operation.op == Op::truncate) text += fmt::format(" to {}", operation.offset);
  return text;
}

Journal::Journal(std::filesystem::path root) : root_(std::move(root)) {
  Journal* none = nullptr;
  if (!the_current.compare_exchange_strong(none, this)) std::abort();  // two at a time
}

Journal::~Journal() {
  the_current = nullptr;
}

Journal* Journal::current() {
  return the_current;
}

std::optional<std::string> Journal::relative(const std::filesystem::path& path) const {
  if (performing) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  const std::string text = path.lexically_normal().native();
  for (const auto& dead : dead_roots_) {
    if (below(dead, text)) return "!" + text;
  }
  return below(root_, text);
}

int Journal::perform(Operation operation, const std::function<int(const Operation&)>& carry_out) {
  const std::scoped_lock lock(mutex_);
  const auto act = [&](const Operation& changed) {
    performing = true;
    const int error = carry_out(changed);
    performing = false;
    return error;
  };
  if (operation.path.starts_with('!')) return EIO;
  operation.attempted = progress_.attempted;
  operation.acknowledged = progress_.acknowledged;
  operation.created = progress_.created;
  std::optional<Fault> now;
  if (fault_ && since_armed_++ == fault_->at) now = std::exchange(fault_, std::nullopt);
  if (!now) {
    const int error = act(operation);
    if (error == 0) operations_.push_back(std::move(operation));
    return error;
  }
  struck_ = describe(operation);
  if (now->outcome == Outcome::fails) return now->error_number;
  if (now->outcome == Outcome::lies) return 0;
  if (operation.op == Op::write && !operation.bytes.empty()) {
    if (now->outcome == Outcome::tears) {
      operation.bytes.resize(operation.bytes.size() / 2);
    } else {
      char& victim = operation.bytes[operation.bytes.size() * 2 / 3];
      victim = static_cast<char>(victim ^ 0x10);
    }
  }
  const int error = act(operation);
  if (error == 0) operations_.push_back(std::move(operation));
  return error != 0 || now->outcome == Outcome::flips ? error : now->error_number;
}

void Journal::arm(const Fault& fault) {
  const std::scoped_lock lock(mutex_);
  fault_ = fault;
  since_armed_ = 0;
  struck_.reset();
}

void Journal::disarm() {
  const std::scoped_lock lock(mutex_);
  fault_.reset();
}

std::optional<std::string> Journal::struck() const {
  const std::scoped_lock lock(mutex_);
  return struck_;
}

void Journal::arm_read_flip(std::size_t after) {
  const std::scoped_lock lock(mutex_);
  read_flip_ = after;
  reads_ = 0;
  struck_.reset();
}

bool Journal::flip_this_read(const std::string& what) {
  const std::scoped_lock lock(mutex_);
  const bool hit = read_flip_ && reads_ == *read_flip_;
  ++reads_;
  if (hit) struck_ = "read " + what;
  return hit;
}

std::size_t Journal::reads() const {
  const std::scoped_lock lock(mutex_);
  return reads_;
}

void Journal::note(const Progress& progress) {
  const std::scoped_lock lock(mutex_);
  progress_ = progress;
}

void Journal::move_to(std::filesystem::path root) {
  const std::scoped_lock lock(mutex_);
  dead_roots_.push_back(std::exchange(root_, std::move(root)));
}

void Journal::set_boot(std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  boot_ = number;
}

std::string Journal::boot_text() const {
  const std::scoped_lock lock(mutex_);
  return fmt::format("{:08x}-0000-4000-8000-000000000000\n", boot_);
}

std::vector<Operation> Journal::operations() const {
  const std::scoped_lock lock(mutex_);
  return operations_;
}

std::size_t Journal::size() const {
  const std::scoped_lock lock(mutex_);
  return operations_.size();
}

}  // namespace pievt::faults
