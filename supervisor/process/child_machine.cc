// The names of the machine's parts, and the table as people read it. See child_machine.h.
#include "supervisor/process/child_machine.h"

namespace pievt::process {
namespace {

constexpr std::array<std::string_view, child_state_count> state_names{
    "down",     "requested",         "cancelling", "starting", "up",
    "stopping", "terminating_again", "killing",    "draining", "gone"};

constexpr std::array<std::string_view, child_input_count> input_names{
    "start",    "spawned", "spawn_failed", "ready",  "stop",
    "stop_now", "timeout", "exited",       "drained"};

constexpr std::array<std::string_view, child_move_count> move_names{
    "none", "spawn", "signal_term", "signal_term_again", "signal_kill", "sweep", "settle"};

// A name too few would leave the last one empty.
static_assert(!state_names.back().empty());
static_assert(!input_names.back().empty());
static_assert(!move_names.back().empty());

std::string cell_text(ChildState state, ChildInput input) {
  const ChildStep step = child_step(state, input);
  if (step == ChildStep{ChildMove::none, state}) return "·";
  std::string text;
  if (step.move != ChildMove::none) text += "`" + std::string(name_of(step.move)) + "` ";
  return text + "→ " + std::string(name_of(step.next));
}

}  // namespace

std::string_view name_of(ChildState state) {
  return state_names[static_cast<std::size_t>(state)];
}

std::string_view name_of(ChildInput input) {
  return input_names[static_cast<std::size_t>(input)];
}

std::string_view name_of(ChildMove move) {
  return move_names[static_cast<std::size_t>(move) - 1];
}

std::string child_table_as_markdown() {
  std::string text = "| state |";
  for (const std::string_view input : input_names) text += " " + std::string(input) + " |";
  text += "\n|---|";
  for (std::size_t column = 0; column < child_input_count; ++column) text += "---|";
  text += "\n";
  for (std::size_t row = 0; row < child_state_count; ++row) {
    text += "| **" + std::string(state_names[row]) + "** |";
    for (std::size_t column = 0; column < child_input_count; ++column)
      text += " " + cell_text(static_cast<ChildState>(row), static_cast<ChildInput>(column)) + " |";
    text += "\n";
  }
  return text;
}

}  // namespace pievt::process
