// The way of one command line: find the verb, read its options, describe the terminal, run, report.
#pragma once

#include <span>
#include <string>

#include "tools/frame/exit.h"
#include "tools/frame/verb.h"
#include "tools/render/terminal.h"
#include "tools/render/writer.h"

namespace pievt::tools {

/// Runs one command line (without the program's name) and returns what the process should exit
/// with. Expects SIGPIPE to be ignored.
///
/// A reader of stdout that goes away is its own affair: output becomes silent, verbs that write
/// without end stop, and the exit code stays the verb's answer, so that `pievt verify | head -1`
/// still tells the truth. Any other failure to write stdout is an error (Exit::store), since the
/// data is not where it was wanted.
Exit run_program(const Tables& tables, std::span<const std::string> words, render::FdWriter& out,
                 render::FdWriter& err, render::Environment environment);

}  // namespace pievt::tools
