// A supervisor in a simulated world. What it decides is decided by the supervisor's own code: the
// planner, the record, the child machine, the understanding of pi's stream, the verdict and what
// follows from it, silence, admission, stops. Its own are only the acts, and the order of the turn
// (supervisor/turn/supervisor.h), which it keeps.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "supervisor/capture/observer.h"
#include "supervisor/pi/session_file.h"
#include "supervisor/pi/stream.h"
#include "supervisor/process/child_machine.h"
#include "supervisor/record/run_record.h"
#include "tests/simulation/world.h"

namespace pievt::simulation {

class SimSupervisor {
 public:
  /// Takes up the run that the world's log has; plans it where there is none.
  explicit SimSupervisor(World& world);

  /// Until the run has finished. Throws Death where the world says so, Broken where something is
  /// wrong.
  void run();

  const RunState& state() const { return record_.state(); }

  /// Opens a stopped run again, with the jobs that its stop ended.
  static void reopen(World& world);

 private:
  using Token = std::uint32_t;

  struct Live {
    Subject subject;
    std::string marker;
    process::ChildState machine = process::ChildState::down;
    bool has_process = false;
    bool is_parent = false;
    std::unique_ptr<pi::Stream> stream;
    std::unique_ptr<supervisor::Observer> observer;
    pi::StreamFacts facts;
    pi::SessionTail session;
    bool streaming = false;
    std::size_t lines_read = 0;
    std::uint64_t bytes = 0;
    std::uint64_t last_activity_ms = 0;
    std::optional<std::uint64_t> noted_ms;
    std::optional<std::uint64_t> deadline_ms, step_over_ms;
    schema::StopReason stop_reason = schema::StopReason::unknown;
    std::uint32_t stop_step = 0;
    bool signalled = false;
  };
  struct Act {
    Token token;
    process::ChildMove move;
  };

  void propose(NewEvent event);
  void commit();
  void plan_run();
  void recover();
  void recover_attempt(Subject subject);
  void open_output(Live& live);
  void turn();
  void plan();
  void launch(std::uint32_t job);
  bool admit();
  void input(Token token, process::ChildInput what);
  void stop(Token token, schema::StopReason reason);
  void carry_out(const Act& act);
  void start(Token token, Live& live);
  void finish(Token token, Live& live);
  void wait();
  void pump(Live& live);
  void reap(Token token, Live& live);
  void check_time(Token token, Live& live);
  std::uint64_t next_moment() const;
  void take_wishes();
  void must(const Status& status) const;

  World& world_;
  supervisor::RunRecord record_;
  std::map<Token, Live> live_;
  Token next_token_ = 1;
  std::deque<Act> acts_;
  std::optional<std::uint64_t> wake_at_ns_;
  std::size_t asked_;  ///< as World::asked, with what is not written yet
};

}  // namespace pievt::simulation
