#include "store/trust/findings.h"

#include <algorithm>

namespace pievt {
namespace {

struct CheckRow {
  Check check;
  const char* name;
  const char* question;
};

constexpr std::array<CheckRow, check_count> rows = {{
    {Check::storage, "storage", "every block of every file of the log has its checksum"},
    {Check::pages, "pages", "pages are whole and follow each other without a gap"},
    {Check::chain, "chain", "commits and bodies are what the hash chain says"},
    {Check::events, "events", "events fit the schema they were written with"},
    {Check::revisions, "revisions", "revisions of every stream are without a gap"},
    {Check::causes, "causes", "events name causes that came before them"},
    {Check::streams, "streams", "streams have the names they were declared with"},
    {Check::appends, "appends", "appends are found by their ids, each once"},
    {Check::index, "index", "the index of streams says where events are"},
    {Check::schemas, "schemas", "schemas are stored and are what pages name"},
    {Check::bodies, "bodies", "texts that events refer to are there and unchanged"},
    {Check::output, "output", "captured output unpacks to the bytes that were captured"},
    {Check::views, "views", "saved states equal what the events add up to"},
    {Check::promise, "promise", "nothing that was acknowledged is missing"},
}};

constexpr bool rows_in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].check) != i) return false;
  }
  return true;
}
static_assert(rows_in_order());

}  // namespace

void Findings::report(Check check, Severity severity, Place place, std::string what) {
  const auto index = static_cast<std::size_t>(check);
  ++counts_[index].findings;
  ++report_.findings_total;
  const Verdict verdict = severity == Severity::damaged ? Verdict::damaged : Verdict::incomplete;
  report_.verdict = std::max(report_.verdict, verdict);
  if (report_.findings.size() >= findings_listed_max) return;
  report_.findings.push_back({rows[index].name, severity, std::move(what), place.page,
                              place.sequence, std::move(place.stream), place.revision});
}

VerifyReport Findings::take() && {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    report_.checks.push_back(
        {rows[i].name, rows[i].question, counts_[i].examined, counts_[i].findings});
  }
  return std::move(report_);
}

}  // namespace pievt
