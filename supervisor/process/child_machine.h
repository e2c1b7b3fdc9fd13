// The life of one attempt's process, as a table: in a state, an input leads to a move and a next
// state. Pure and complete, so that a test can walk every cell and every short history.
//
// The ladder of a stop is TERM, TERM again, KILL, and it is the same for a deadline, a cancelled
// job and a stopped run. Never INT: pi leaves its tools running then. The second TERM matters: pi
// 1.x waits on the first one until its output is read, and exits at once on the second. Output is
// followed in every state until `gone`, because a child that nobody reads does not end.
//
// pi's tools run in sessions of their own and may outlive it, so the end of the child is not the
// end of the attempt: after `exited` what bears the attempt's marker is swept, the output is read
// to its end, and only `drained` settles it.
//
// What the table leaves to its caller: a deadline is fed as `stop`, with the reason in the event.
// A new supervisor enters the machine at the state its log tells: `requested` for a start whose
// outcome is not known (a search for the marker gives `spawned` or `spawn_failed`), `up`,
// `stopping` and so on for a child that was adopted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pievt::process {

enum class ChildState : std::uint8_t {
  down,               ///< nothing was asked for yet
  requested,          ///< the start is intended; whether there is a process is not known yet
  cancelling,         ///< as requested, and it is to be stopped as soon as there is one
  starting,           ///< the process exists, the first word of its protocol has not come
  up,                 ///< it works
  stopping,           ///< TERM was sent
  terminating_again,  ///< TERM was sent twice
  killing,            ///< KILL was sent
  draining,           ///< it has ended; its tree is being swept, its output read to the end
  gone,               ///< settled, for ever
};

enum class ChildInput : std::uint8_t {
  start,         ///< the planner wants it to run
  spawned,       ///< there is a process
  spawn_failed,  ///< there is none, and there will be none
  ready,         ///< it said the first word of its protocol
  stop,          ///< it shall end, with time to do so
  stop_now,      ///< it shall end, without
  timeout,       ///< the time given by `waits_for_timeout` is over
  exited,        ///< the process has ended; its tree and its output may go on
  drained,       ///< nothing bears the marker any more (or what does is on record), output is read
};

enum class ChildMove : std::uint8_t {
  none = 1,           ///< 0 is no move, so that a cell somebody forgot is found
  spawn,              ///< start the process
  signal_term,        ///< the polite request
  signal_term_again,  ///< the same, and pi does not wait for its reader any more
  signal_kill,        ///< the end; tools stay behind and are swept
  sweep,              ///< find and kill what bears the marker, read the output to its end
  settle,             ///< judge the attempt and free what it held
};

inline constexpr std::size_t child_state_count = 10;
inline constexpr std::size_t child_input_count = 9;
inline constexpr std::size_t child_move_count = 7;

struct ChildStep {
  ChildMove move{};
  ChildState next = ChildState::down;

  friend bool operator==(const ChildStep&, const ChildStep&) = default;
};

namespace child_table {

/// A cell either keeps the state and does nothing, or is a step. Each step that can be made
/// leads to one state, whatever the state before, so a cell is a single word.
struct Cell {
  enum class Kind : std::uint8_t { forgotten, stays, steps };
  Kind kind = Kind::forgotten;
  ChildStep step;
};

consteval Cell to(ChildMove move, ChildState next) {
  return {Cell::Kind::steps, {move, next}};
}

inline constexpr Cell stay{Cell::Kind::stays, {ChildMove::none, ChildState::down}};
inline constexpr Cell begin = to(ChildMove::spawn, ChildState::requested);
inline constexpr Cell cancel = to(ChildMove::none, ChildState::cancelling);
inline constexpr Cell exist = to(ChildMove::none, ChildState::starting);
inline constexpr Cell work = to(ChildMove::none, ChildState::up);
inline constexpr Cell term = to(ChildMove::signal_term, ChildState::stopping);
inline constexpr Cell again = to(ChildMove::signal_term_again, ChildState::terminating_again);
inline constexpr Cell kill = to(ChildMove::signal_kill, ChildState::killing);
inline constexpr Cell sweep = to(ChildMove::sweep, ChildState::draining);
inline constexpr Cell settle = to(ChildMove::settle, ChildState::gone);

using Row = std::array<Cell, child_input_count>;

// clang-format off
inline constexpr std::array<Row, child_state_count> rows{{
//                      start  spawned failed  ready  stop    now     timeout exited drained
/* down              */ {begin, stay,  stay,   stay,  settle, settle, stay,   stay,  stay  },
/* requested         */ {stay,  exist, settle, stay,  cancel, cancel, stay,   sweep, stay  },
/* cancelling        */ {stay,  term,  settle, stay,  stay,   stay,   stay,   sweep, stay  },
/* starting          */ {stay,  stay,  stay,   work,  term,   kill,   stay,   sweep, stay  },
/* up                */ {stay,  stay,  stay,   stay,  term,   kill,   stay,   sweep, stay  },
/* stopping          */ {stay,  stay,  stay,   stay,  stay,   kill,   again,  sweep, stay  },
/* terminating_again */ {stay,  stay,  stay,   stay,  stay,   kill,   kill,   sweep, stay  },
/* killing           */ {stay,  stay,  stay,   stay,  stay,   stay,   stay,   sweep, stay  },
/* draining          */ {stay,  stay,  stay,   stay,  stay,   stay,   sweep,  stay,  settle},
/* gone              */ {stay,  stay,  stay,   stay,  stay,   stay,   stay,   stay,  stay  },
}};
// clang-format on

constexpr const Cell& cell(ChildState state, ChildInput input) {
  return rows[static_cast<std::size_t>(state)][static_cast<std::size_t>(input)];
}

consteval bool nothing_is_forgotten() {
  for (const Row& row : rows)
    for (const Cell& each : row)
      if (each.kind == Cell::Kind::forgotten) return false;
  return true;
}

consteval bool nothing_leaves_gone() {
  for (const Cell& each : rows[static_cast<std::size_t>(ChildState::gone)])
    if (each.kind != Cell::Kind::stays) return false;
  return true;
}

static_assert(static_cast<std::size_t>(ChildState::gone) + 1 == child_state_count);
static_assert(static_cast<std::size_t>(ChildInput::drained) + 1 == child_input_count);
static_assert(static_cast<std::size_t>(ChildMove::settle) == child_move_count);
static_assert(nothing_is_forgotten(), "every state needs a cell for every input");
static_assert(nothing_leaves_gone(), "gone is for ever");

}  // namespace child_table

/// What to do, and the state after it. An input that does not concern the state keeps it and asks
/// for nothing: a late timer or a repeated exit is not an error.
constexpr ChildStep child_step(ChildState state, ChildInput input) {
  const child_table::Cell& cell = child_table::cell(state, input);
  if (cell.kind == child_table::Cell::Kind::stays) return {ChildMove::none, state};
  return cell.step;
}

/// Whether a timer runs in `state`. The caller sets it anew with every step that has a move, and
/// clears it when the next state does not wait, so that a timer of the ladder cannot fire into a
/// later state. In `stopping` and `terminating_again` it is the grace of that rung; in `draining`
/// it is the time until leftovers that survived are swept again.
constexpr bool waits_for_timeout(ChildState state) {
  return child_step(state, ChildInput::timeout).move != ChildMove::none;
}

/// Whether a process of ours may exist in `state` and must be watched.
constexpr bool may_have_process(ChildState state) {
  return state >= ChildState::requested && state <= ChildState::killing;
}

std::string_view name_of(ChildState state);
std::string_view name_of(ChildInput input);
std::string_view name_of(ChildMove move);

/// The table for docs/operations.md: one row a state, one column an input, a dot where nothing
/// happens, else "move -> next state". Ends with a newline.
std::string child_table_as_markdown();

}  // namespace pievt::process
