// `source` and `id` together name an event for ever, so a broker that sees a run twice can tell.
// Extension attributes are lower-case letters and digits, as the specification wants them;
// `sequence` is the registered one, written so that it sorts as text.
#include "tools/exporters/cloudevents.h"

#include <fmt/format.h>

#include "tools/exporters/event_facts.h"

namespace pievt::tools {
namespace {

// In a URI reference: everything else is percent-encoded.
std::string uri_part(std::string_view text) {
  std::string part;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      part += c;
    } else {
      part += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
    }
  }
  return part;
}

class CloudEvents final : public Exporter {
 public:
  explicit CloudEvents(Export& work)
      : work_(work),
        facts_(work.source, work.state),
        source_(fmt::format("/pievt/runs/{}", uri_part(work.source.run_id()))) {}

  Status event(const EventView& event) override {
    const schema::Head& head = event.head();
    std::string subject(facts_.job(event));
    if (head.attempt() != 0) subject += fmt::format("/{}", head.attempt());
    std::string line = fmt::format(
        R"({{"specversion":"1.0","id":"{}:{}","source":"{}","type":"pievt.{}","time":"{}",)"
        R"("sequence":"{:020}",)",
        to_string(event.id.append), event.id.index, source_, facts_.type(event),
        facts_.time(event.time_ns()), event.revision().value);
    if (!subject.empty()) line += fmt::format(R"("subject":{},)", render::json_string(subject));
    if (head.causation() != 0) line += fmt::format(R"("causation":"{:020}",)", head.causation());
    line += R"("datacontenttype":"application/json","data":)";
    line += PIEVT_TRY(facts_.payload(event));
    line += "}\n";
    work_.out.write(line);
    ++work_.manifest.items_out;
    return {};
  }

  Status end() override {
    render::StringWriter text;
    render::JsonWriter json(text);
    json.begin_object()
        .member("specversion", "1.0")
        .member("id", fmt::format("manifest:{}", work_.manifest.events_digest))
        .member("source", source_)
        .member("type", "pievt.export.manifest")
        .member("datacontenttype", "application/json")
        .key("data")
        .begin_object();
    ++work_.manifest.items_out;
    write_manifest_members(json, work_.manifest);
    json.end_object().end_object().end_document();
    work_.out.write(text.text());
    return {};
  }

 private:
  Export& work_;
  EventFacts facts_;
  std::string source_;
};

}  // namespace

std::unique_ptr<Exporter> make_cloudevents(Export& work) {
  return std::make_unique<CloudEvents>(work);
}

}  // namespace pievt::tools
