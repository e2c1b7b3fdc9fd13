// A project of somebody else: finds the installed package, makes a store, appends and reads back.
#include <iostream>

#include <pievt/log.h>
#include <pievt/output.h>
#include <pievt/projection.h>
#include <pievt/query.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto log = pievt::Log::open(argv[1], {.mode = pievt::OpenMode::create, .program = "consumer"});
  if (!log) {
    std::cerr << log.error().what << '\n';
    return 1;
  }
  pievt::schema::RunPlannedT planned;
  planned.run_id = "r1";
  const auto done =
      log->append(pievt::run_stream("r1"), pievt::Expected::no_stream(), {{std::move(planned)}});
  if (!done) {
    std::cerr << done.error().what << '\n';
    return 1;
  }
  const auto run = pievt::load_run(*log, "r1");
  if (!run || run->run_id != "r1") return 1;
  std::cout << run->revision << " event of run/r1\n";
  return log->close().ok() ? 0 : 1;
}
