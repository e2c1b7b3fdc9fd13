// pievtd: the program under its other name. One process supervises one detached run, told by its
// starter what to do (supervisor/control/detach.h), and talks to nobody but its run's control
// socket and, where that cannot be, its log.
#pragma once

namespace pievt::tools {

/// Whether the program was called by that name.
bool is_pievtd(const char* program_name);

/// The whole life of the daemon. Returns its exit code.
int pievtd_main();

}  // namespace pievt::tools
