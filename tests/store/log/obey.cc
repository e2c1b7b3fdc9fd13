// A process that uses a store as it is told, so that a test can say in which order several do.
//
//   append <stream> <expected> <id> <wait_ms> <text>...   "written @<first>-<last>", "there @..."
//   or
//                                                         "<code>: <sentence>"
//   begin <stream> <expected> <id> <wait_ms> <text>...    the same, without waiting for the result:
//                                                         "begun"; `result` says it
//   blob <text>         "stored"
//   has-blob <text>     "yes" or "no"
//   texts <stream>      its texts, with commas
//   seat                "writer" or "client"
//   close               "closed"
//
// <expected>: any, none, exists or a revision. <id>: `new` or a UUID.
#include <future>
#include <iostream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/store/log/roles.h"
#include "tests/store/log/temp_store.h"

namespace pievt::test {
namespace {

Expected expected_of(const std::string& word) {
  if (word == "any") return Expected::any();
  if (word == "none") return Expected::no_stream();
  if (word == "exists") return Expected::exists();
  return Expected::exactly({std::stoull(word)});
}

std::string append(Log& log, std::istringstream words) {
  std::string stream, expected, id, text;
  int wait_ms = 0;
  words >> stream >> expected >> id >> wait_ms;
  std::vector<NewEvent> events;
  while (words >> text) events.push_back(text_event(text));
  AppendOptions options;
  options.wait = std::chrono::milliseconds(wait_ms);
  if (id != "new") options.id = *parse_append_id(id);
  const auto done = log.append(stream, expected_of(expected), std::move(events), options);
  if (!done.ok()) return fmt::format("{}: {}", name_of(done.error().code), done.error().what);
  return fmt::format("{} @{}-{}", done->outcome == AppendOutcome::written ? "written" : "there",
                     done->first.value, done->last.value);
}

std::string has_blob(Log& log, const std::map<std::string, schema::BlobRef>& blobs,
                     const std::string& text) {
  const auto known = blobs.find(text);
  if (known == blobs.end()) return "no";
  const auto content = log.get_blob(known->second);
  return content.ok() && content->size() == text.size() ? "yes" : "no";
}

std::string_view seat(const Log& log) {
  return log.info().forwards ? "client" : "writer";
}

}  // namespace

int obey(Arguments arguments) {
  OpenOptions options{.mode = OpenMode::create, .program = arguments[1]};
  if (arguments.size() > 2) options.wait = std::chrono::milliseconds(std::stoi(arguments[2]));
  auto log = Log::open(arguments[0], options);
  if (!log.ok()) {
    say(fmt::format("{}: {}", name_of(log.error().code), log.error().what));
    return 1;
  }
  say(seat(*log));
  std::map<std::string, schema::BlobRef> blobs;
  std::future<std::string> begun;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, argument;
    words >> command;
    if (command == "append") {
      say(append(*log, std::move(words)));
      continue;
    }
    if (command == "begin") {
      begun = std::async(std::launch::async, [&log, rest = line.substr(6)] {
        return append(*log, std::istringstream(rest));
      });
      say("begun");
      continue;
    }
    words >> argument;
    if (command == "result") say(begun.get());
    if (command == "texts") say(fmt::format("{}", fmt::join(texts_of(*log, argument), ",")));
    if (command == "seat") say(seat(*log));
    if (command == "has-blob") say(has_blob(*log, blobs, argument));
    if (command == "close") say(log->close().ok() ? "closed" : "not closed");
    if (command == "blob") {
      const auto stored = log->put_blob(argument);
      if (stored.ok()) blobs.insert_or_assign(argument, *stored);
      say(stored.ok() ? "stored" : stored.error().what);
    }
  }
  return 0;
}

}  // namespace pievt::test
