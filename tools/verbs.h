// The verbs of pievt: one table, in one order, with nothing registering itself.
//
// To add a verb `show`:
//
//   1. tools/verbs/show.cc: two functions in namespace pievt::tools::verbs,
//
//        const Manual& show_manual();           // prose, flags and arguments, two examples, what
//        -o it can write Result<Exit> show(Context& context);   // reads context.arguments, writes
//        context.out, talks to context.talk
//
//      The manual is a constant; see tools/frame/option.h for its rows and
//      tools/verbs/completion.cc for a small example. Flags and arguments are read by their names:
//      context.arguments.has("--failed"), .text("run"), .all("--job"), .number("--limit"),
//      .duration_ns("--timeout"). They have been checked by then. Errors are returned; the frame
//      prints them and chooses the exit code from their Errc.
//   2. tools/verbs.cc: one line that declares the two functions, one row in the table. A row out of
//   order or a
//      second one of its name does not compile.
//   3. tools/CMakeLists.txt: the source. tests/cli/show.test: what it prints.
//
// Help pages, the man page, completion in three shells, "did you mean" and the checks of flags
// follow from the row.
#pragma once

#include "tools/frame/verb.h"

namespace pievt::tools {

/// Everything the program offers. Constant data; nothing is built at start-up.
Tables all_tables();

}  // namespace pievt::tools
