#include "tools/render/listing.h"

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

ListingShape jobs_shape() {
  return {"pievt.jobs",
          2,
          {{"id", {.title = "JOB"}},
           {"attempts", {.title = "ATTEMPTS", .align = Align::right}},
           {"cost_nanodollars", {.title = "COST", .align = Align::right}},
           {"started_at", {.title = "STARTED"}, ListingColumn::Shown::on_request}}};
}

std::string listed(ListingFormat format, std::vector<std::string> fields = {}) {
  StringWriter out;
  auto listing = Listing::create(out, Terminal{}, format, jobs_shape(), fields);
  EXPECT_TRUE(listing.ok());
  const Fact noon = Fact::time(1'795'176'304'604'000'001, Zone::utc);
  listing->row({Fact::text("r1"), Fact::count(1), Fact::money(9'100'000), noon});
  listing->row({Fact::text("r2, \"x\""), Fact::count(2'000), Fact::unknown("not reported"), noon});
  listing->finish("no jobs");
  return out.take();
}

TEST(Listing, IsATableForPeople) {
  EXPECT_EQ(listed(ListingFormat::text),
            "JOB      ATTEMPTS          COST\n"
            "r1              1       $0.0091\n"
            "r2, \"x\"     2,000  not reported\n");
}

TEST(Listing, IsOneDocumentInJson) {
  EXPECT_EQ(listed(ListingFormat::json), R"({
  "schema": "pievt.jobs",
  "schema_version": 2,
  "items": [
    {
      "id": "r1",
      "attempts": 1,
      "cost_nanodollars": 9100000,
      "started_at": "2026-11-20T12:05:04.604000001Z"
    },
    {
      "id": "r2, \"x\"",
      "attempts": 2000,
      "cost_nanodollars": null,
      "started_at": "2026-11-20T12:05:04.604000001Z"
    }
  ]
}
)");
}

TEST(Listing, IsALineARowInJsonlAndCsv) {
  EXPECT_EQ(listed(ListingFormat::jsonl, {"id", "attempts"}),
            "{\"schema\":\"pievt.jobs.item\",\"schema_version\":2,\"id\":\"r1\",\"attempts\":1}\n"
            "{\"schema\":\"pievt.jobs.item\",\"schema_version\":2,\"id\":\"r2, "
            "\\\"x\\\"\",\"attempts\":2000}\n");
  EXPECT_EQ(listed(ListingFormat::csv, {"cost_nanodollars", "id"}),
            "cost_nanodollars,id\n9100000,r1\n,\"r2, \"\"x\"\"\"\n");
}

TEST(Listing, FieldsChooseOrderAndRevealColumns) {
  EXPECT_EQ(listed(ListingFormat::text, {"started_at", "id"}),
            "STARTED              JOB\n"
            "2026-11-20 12:05:04  r1\n"
            "2026-11-20 12:05:04  r2, \"x\"\n");
}

TEST(Listing, WithoutRowsIsASentenceOrAnEmptyDocument) {
  const auto empty = [](ListingFormat format) {
    StringWriter out;
    auto listing = Listing::create(out, Terminal{}, format, jobs_shape(), {});
    listing->finish("no jobs");
    return out.take();
  };
  EXPECT_EQ(empty(ListingFormat::text), "no jobs\n");
  EXPECT_EQ(empty(ListingFormat::jsonl), "");
  EXPECT_EQ(empty(ListingFormat::csv), "id,attempts,cost_nanodollars,started_at\n");
  EXPECT_THAT(empty(ListingFormat::json), testing::HasSubstr("\"items\": []"));
}

TEST(Listing, AnUnknownFieldNamesThoseThereAre) {
  StringWriter out;
  const std::vector<std::string> fields = {"cost"};
  const auto listing = Listing::create(out, Terminal{}, ListingFormat::csv, jobs_shape(), fields);
  ASSERT_FALSE(listing.ok());
  EXPECT_EQ(listing.error().code, Errc::invalid);
  EXPECT_EQ(listing.error().what,
            "--fields: there is no \"cost\"; there are id, attempts, cost_nanodollars, started_at");
}

TEST(Fact, WhatIsNotKnownIsNeverZero) {
  const Fact fact = Fact::unknown("not reported");
  EXPECT_EQ(fact.shown(), "not reported");
  EXPECT_EQ(fact.json(), "null");
  EXPECT_EQ(fact.csv(), "");
}

}  // namespace
}  // namespace pievt::render
