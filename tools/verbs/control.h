// What the verbs share that ask something of a run while somebody else supervises it.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "supervisor/control/client.h"
#include "tools/verbs/access.h"

namespace pievt::tools {

/// The run that `word` names; without a word the one that is being supervised. not_found: none is;
/// invalid: several are, and which one must be said.
Result<Reference> supervised_run(const Context& context, const Log& log,
                                 const std::filesystem::path& store,
                                 const std::optional<std::string>& word);

/// Connects to whoever supervises the run. invalid_transition: nobody does, and why: it has ended,
/// or it is interrupted.
Result<control::Connection> connect(const Context& context, Log& log,
                                    const std::filesystem::path& store, const std::string& run);

/// Asks one thing of a run and says what came of it: a sentence, or the document `pievt.control`.
Result<Exit> ask(const Context& context, Log& log, const std::filesystem::path& store,
                 const std::string& run, control::Action action);

/// Starts pievtd, and says which run it works on: its id alone on stdout, or the document
/// `pievt.started`.
Result<Exit> detach(const Context& context, const control::Start& start);

/// A description of `pievt VERB` for the record of who asked.
std::string program_name(const Context& context);

}  // namespace pievt::tools
