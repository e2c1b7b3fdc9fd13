#include "tests/faults/world.h"

#include <utility>

#include <fmt/format.h>

#include "pievt/query.h"
#include "pievt/upkeep.h"
#include "store/log/log_impl.h"
#include "store/log/rocks_testing.h"
#include "tests/fault_fs/fault_fs.h"
#include "tests/faults/sealed_run.h"

namespace pievt::faults {

World::World() : scratch_(make_scratch()), root_(scratch_ / "life1") {
  std::filesystem::create_directory(root_);
  journal_ = std::make_unique<Journal>(root_);
  use_file_system_for_tests(make_fault_fs());
}

World::~World() {
  log_.reset();
  use_file_system_for_tests(nullptr);
  journal_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(scratch_, ignored);
}

void World::open(OpenMode mode) {
  error_.reset();
  auto opened = Log::open(store(), {.mode = mode, .program = "faults_test"});
  if (!opened.ok()) return failed(opened.error());
  log_.emplace(std::move(*opened));
  progress_.created = true;
  journal_->note(progress_);
  if (!attempts_.empty() && !attempts_.back().answer) retry_last();
}

std::vector<std::string> World::next_texts(std::size_t count, std::size_t text_bytes) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text = fmt::format("text {} ", texts_++);
    if (text.size() < text_bytes) text.resize(text_bytes, 'x');
    texts.push_back(std::move(text));
  }
  return texts;
}

void World::append(const std::string& stream, std::size_t events, Durability durability,
                   std::size_t text_bytes) {
  attempt({new_append_id(), {{stream, next_texts(events, text_bytes)}}, durability, "", {}});
}

void World::append_to(const std::vector<std::string>& streams, std::size_t events,
                      Durability durability) {
  Attempt next{new_append_id(), {}, durability, "", {}};
  for (const std::string& stream : streams)
    next.streams.emplace_back(stream, next_texts(events, 20));
  attempt(std::move(next));
}

void World::append_with_blob(const std::string& stream, std::size_t blob_bytes) {
  Attempt next{new_append_id(), {{stream, next_texts(1, 20)}}, Durability::fsync, "", {}};
  next.blob = random_text(blob_bytes);
  attempt(std::move(next));
}

// Not to be compressed away: the pieces of it shall be pieces on the disk.
std::string World::random_text(std::size_t bytes) const {
  std::string text;
  std::uint64_t state = texts_ + 1;
  while (text.size() < bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text.push_back(static_cast<char>(state >> 56));
  }
  return text;
}

void World::put_orphan(std::size_t bytes) {
  if (error_ || !log_) return;
  const auto put = log_->put_blob(random_text(bytes));
  if (!put.ok()) failed(put.error());
}

void World::back_up() {
  if (error_ || !log_) return;
  const auto copied = pievt::backup(*log_, backup());
  if (!copied.ok()) failed(copied.error());
}

void World::restore() {
  if (error_) return;
  const auto copied = pievt::restore(backup(), restored(), {.verification = Verification::yes});
  if (!copied.ok()) failed(copied.error());
}

void World::collect_garbage() {
  if (error_) return;
  const auto collected = pievt::collect_garbage(store());
  if (!collected.ok()) return failed(collected.error());
  if (collected->texts == 0) failed({Errc::invalid, "there was nothing to collect"});
}

void World::write_run() {
  if (error_ || !log_ || attempts_.empty()) return;
  const Status wrote = write_sealed_run(*log_, attempts_.front().blob);
  if (!wrote.ok()) failed(wrote.error());
}

void World::seal_and_remove() {
  if (error_) return;
  if (const Status done = faults::seal_and_remove(store()); !done.ok()) failed(done.error());
}

void World::attempt(Attempt next) {
  if (error_ || !log_) return;
  attempts_.push_back(std::move(next));
  progress_.attempted = attempts_.size();
  journal_->note(progress_);
  const Attempt& now = attempts_.back();
  answered(attempts_.size() - 1, now.durability, perform(*log_, now));
}

void World::retry_last(Durability durability) {
  if (error_ || !log_ || attempts_.empty()) return;
  answered(attempts_.size() - 1, durability, perform(*log_, attempts_.back(), durability));
}

void World::answered(std::size_t which, Durability durability, const Result<Appended>& answer) {
  if (!answer.ok()) return failed(answer.error());
  attempts_[which].answer = *answer;
  // What is on the disk takes everything before it along.
  if (durability == Durability::fsync) progress_.acknowledged = which + 1;
  journal_->note(progress_);
}

void World::save_views() {
  if (error_ || !log_) return;
  if (const Status saved = pievt::save_views(*log_); !saved.ok()) failed(saved.error());
}

void World::start_flush() {
  if (error_ || !log_) return;
  if (const Status flushed = log_->impl().rocks().start_flush(); !flushed.ok()) {
    failed(flushed.error());
  }
}

void World::close() {
  if (!log_) return;
  const Status closed = log_->close();
  log_.reset();
  if (!closed.ok() && !error_) failed(closed.error());
}

void World::die() {
  const std::filesystem::path next = scratch_ / fmt::format("life{}", ++lives_);
  std::filesystem::remove(root_ / "store" / "SOCKET");  // of the living; cannot be copied
  std::filesystem::copy(root_, next, std::filesystem::copy_options::recursive);
  root_ = next;
  journal_->move_to(root_);
  log_.reset();
}

}  // namespace pievt::faults
