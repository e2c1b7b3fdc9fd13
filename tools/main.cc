// The program. Everything that could be tested elsewhere is elsewhere.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tools/frame/program.h"
#include "tools/pievtd.h"
#include "tools/verbs.h"

namespace {

// The last resort: our own code throws nothing, and a library that does is caught where it is
// called.
int bug(const char* what) {
  std::fprintf(stderr,
               "pievt: bug: an exception reached main: %s\npievt: please report it, with: pievt "
               "version -v\n",
               what);
  return static_cast<int>(pievt::tools::Exit::bug);
}

}  // namespace

int main(int argc, char** argv) try {
  // A closed pipe is an error that the writer keeps, not a signal: a supervisor must outlive its
  // reader. So is a file that may not grow further, of which nothing may then be left.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  ::tzset();
  if (argc > 0 && pievt::tools::is_pievtd(argv[0])) return pievt::tools::pievtd_main();
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  pievt::render::FdWriter out(STDOUT_FILENO);
  pievt::render::FdWriter err(STDERR_FILENO);
  return static_cast<int>(
      pievt::tools::run_program(pievt::tools::all_tables(), words, out, err,
                                [](const char* name) -> const char* { return ::getenv(name); }));
} catch (const std::exception& error) {
  return bug(error.what());
} catch (...) {
  return bug("not a std::exception");
}
