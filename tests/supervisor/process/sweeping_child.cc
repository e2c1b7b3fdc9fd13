// Sweeps the attempt named by its argument, and bears that attempt's marker itself: the test that a
// sweep spares the sweeper. Prints the numbers of what it killed.
#include <cstdio>

#include "supervisor/process/sweep.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto report = pievt::process::sweep(argv[1]);
  if (!report.ok()) return 1;
  for (const auto& each : report->killed) std::printf("%d\n", each.pid);
  return report->survivors.empty() ? 0 : 3;
}
