// The machine is small enough to try everything: each cell, and each history of six inputs from
// each state, ten states and nine inputs: 5.3 million of them.
#include "supervisor/process/child_machine.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace pievt::process {
namespace {

using enum ChildState;

template <class Enum>
std::vector<Enum> all(std::size_t count) {
  std::vector<Enum> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<Enum>(i));
  return values;
}

const std::vector<ChildState> states = all<ChildState>(child_state_count);
const std::vector<ChildInput> inputs = all<ChildInput>(child_input_count);

/// What was done so far, as far as a state tells about the time before it.
struct History {
  explicit History(ChildState start)
      : state(start),
        spawns(start == down ? 0 : 1),
        terms(start == stopping                                ? 1
              : start == terminating_again || start == killing ? 2
                                                               : 0),
        kills(start == killing ? 1 : 0),
        stop_wanted(start == cancelling || (start >= stopping && start <= killing)),
        has_process(start >= starting && start <= killing),
        has_ended(start == draining || start == gone),
        settled(start == gone ? 1 : 0) {}

  ChildState state;
  int spawns;
  int terms;
  int kills;
  bool stop_wanted;
  bool now_wanted = false;
  bool has_process;
  bool has_ended;
  int settled;
  bool swept = false;
};

bool is_signal(ChildMove move) {
  return move == ChildMove::signal_term || move == ChildMove::signal_term_again ||
         move == ChildMove::signal_kill;
}

/// One input further. Returns the law it broke, or nothing.
const char* advance(History& past, ChildInput input) {
  const ChildStep step = child_step(past.state, input);
  const bool heard = step.next != past.state || step.move != ChildMove::none;
  past.stop_wanted |= input == ChildInput::stop || input == ChildInput::stop_now;
  past.now_wanted |= input == ChildInput::stop_now;
  if (heard && input == ChildInput::spawned) past.has_process = true;
  if (heard && input == ChildInput::exited) past.has_ended = true;

  past.spawns += step.move == ChildMove::spawn ? 1 : 0;
  past.terms += step.move == ChildMove::signal_term ? 1 : 0;
  if (step.move == ChildMove::signal_term_again && ++past.terms != 2)
    return "the second TERM is the second";
  past.kills += step.move == ChildMove::signal_kill ? 1 : 0;
  past.settled += step.move == ChildMove::settle ? 1 : 0;
  past.swept |= step.move == ChildMove::sweep;

  if (step.move == ChildMove::spawn && past.stop_wanted) return "nothing is spawned after a stop";
  if (past.spawns > 1) return "an attempt is spawned once";
  if (past.terms > 2) return "there are two TERMs at most";
  if (past.kills > 1) return "there is one KILL at most";
  if (is_signal(step.move) && past.has_ended) return "the dead get no signal";
  if (is_signal(step.move) && !past.has_process) return "a signal needs a process";
  if (is_signal(step.move) && !past.stop_wanted) return "a signal needs a stop";
  if (step.move == ChildMove::signal_kill && past.terms < 2 && !past.now_wanted)
    return "KILL comes after two TERMs, unless it must be now";
  if (step.move == ChildMove::sweep && !past.has_ended) return "the end comes before the sweep";
  if (past.settled > 1) return "an attempt is settled once";
  if ((step.next == gone) != (past.settled == 1)) return "gone means settled";
  if (past.state == gone && step != ChildStep{ChildMove::none, gone}) return "gone is for ever";
  past.state = step.next;
  return nullptr;
}

struct Walk {
  std::size_t histories = 0;
  std::vector<ChildInput> way;
  std::vector<std::string> broken;

  void go(const History& past, std::size_t left) {
    if (left == 0) {
      ++histories;
      return;
    }
    for (const ChildInput input : inputs) {
      History next = past;
      way.push_back(input);
      if (const char* law = advance(next, input); law != nullptr && broken.size() < 5)
        broken.push_back(text_of(law));
      go(next, left - 1);
      way.pop_back();
    }
  }

  std::string text_of(const char* law) const {
    std::string text = law;
    for (const ChildInput input : way) text += ", " + std::string(name_of(input));
    return text;
  }
};

TEST(ChildMachine, KeepsItsLawsInEveryHistoryOfSixInputs) {
  for (const ChildState start : states) {
    Walk walk;
    walk.go(History(start), 6);
    EXPECT_EQ(walk.histories, 531'441u);
    EXPECT_EQ(walk.broken, std::vector<std::string>()) << "from " << name_of(start);
  }
}

TEST(ChildMachine, EveryCellHasAMoveAndAState) {
  for (const ChildState state : states)
    for (const ChildInput input : inputs) {
      const ChildStep step = child_step(state, input);
      EXPECT_GE(step.move, ChildMove::none);
      EXPECT_LE(step.move, ChildMove::settle);
      EXPECT_LE(step.next, gone);
      if (step.move == ChildMove::none && step.next == state) continue;
      EXPECT_FALSE(name_of(step.move).empty());
    }
}

ChildState after(ChildState state, std::initializer_list<ChildInput> way) {
  for (const ChildInput input : way) state = child_step(state, input).next;
  return state;
}

TEST(ChildMachine, AStopReachesGoneFromEverywhere) {
  using enum ChildInput;
  for (const ChildState state : states) {
    EXPECT_EQ(after(state, {stop, timeout, timeout, timeout, exited, drained}), gone)
        << name_of(state);
    EXPECT_EQ(after(state, {stop_now, exited, drained}), gone) << name_of(state);
  }
}

TEST(ChildMachine, AStopReachesGoneWhereverTheEndComesInTheLadder) {
  using enum ChildInput;
  for (const ChildState state : states) {
    EXPECT_EQ(after(state, {stop, exited, drained}), gone) << name_of(state);
    EXPECT_EQ(after(state, {stop, timeout, exited, drained}), gone) << name_of(state);
    EXPECT_EQ(after(state, {stop, timeout, timeout, exited, timeout, drained}), gone)
        << name_of(state);
  }
}

TEST(ChildMachine, AProcessIsSweptBeforeItIsSettled) {
  using enum ChildInput;
  for (const ChildState state : {requested, cancelling, starting, up, stopping, killing}) {
    EXPECT_EQ(child_step(state, exited), (ChildStep{ChildMove::sweep, draining}));
    EXPECT_NE(after(state, {drained}), gone) << name_of(state);
  }
}

TEST(ChildMachine, AStopBeforeTheStartIsKnownIsNotForgotten) {
  using enum ChildInput;
  EXPECT_EQ(after(requested, {stop}), cancelling);
  EXPECT_EQ(child_step(cancelling, spawned), (ChildStep{ChildMove::signal_term, stopping}));
  EXPECT_EQ(child_step(cancelling, spawn_failed), (ChildStep{ChildMove::settle, gone}));
}

TEST(ChildMachine, TimersRunOnTheLadderAndWhileDraining) {
  for (const ChildState state : states) {
    const bool expected = state == stopping || state == terminating_again || state == draining;
    EXPECT_EQ(waits_for_timeout(state), expected) << name_of(state);
  }
}

TEST(ChildMachine, WatchesAProcessFromTheIntentToItsEnd) {
  for (const ChildState state : states) {
    const bool expected = state != down && state != draining && state != gone;
    EXPECT_EQ(may_have_process(state), expected) << name_of(state);
  }
}

TEST(ChildMachine, PrintsItselfAsATable) {
  const std::string text = child_table_as_markdown();
  EXPECT_EQ(std::ranges::count(text, '\n'), static_cast<long>(child_state_count) + 2);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "| state | start | spawned | spawn_failed | ready | stop | stop_now | timeout | exited "
            "| drained |");
  EXPECT_NE(text.find("| **down** | `spawn` → requested | · | · | · | "
                      "`settle` → gone | `settle` → gone | · | · | · |\n"),
            std::string::npos);
  EXPECT_NE(text.find("| **stopping** | · | · | · | · | · | `signal_kill` → killing | "
                      "`signal_term_again` → terminating_again | `sweep` → draining | · |\n"),
            std::string::npos);
  EXPECT_NE(text.find("| **starting** | · | · | · | → up |"), std::string::npos);
  EXPECT_TRUE(text.ends_with("| **gone** | · | · | · | · | · | · | · | · | · |\n"));
}

}  // namespace
}  // namespace pievt::process
