// pi stores a path to the extension, and the path may lead nowhere one day.
#include "tools/agent_tools/installed.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pievt::tools {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class Installed : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::path(testing::TempDir()) / "installed-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(root_ / "agent");
    fs::create_directories(root_ / "share/pievt/pi-extension");
    fs::create_directories(root_ / "bin");
    std::ofstream(root_ / "share/pievt/pi-extension/pievt.ts") << "//";
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path root_;
};

TEST_F(Installed, FoundBelowShareOfItsInstallation) {
  EXPECT_EQ(extension_file(root_ / "bin/pievt"), root_ / "share/pievt/pi-extension/pievt.ts");
  EXPECT_EQ(extension_file("/nowhere/bin/pievt"), fs::path());
}

TEST_F(Installed, APathThatLeadsNowhereIsFound) {
  const auto dangling = [&](const std::string& settings) {
    return dangling_extensions(settings, root_ / "agent");
  };
  EXPECT_THAT(dangling(R"({"packages": ["../share/pievt/pi-extension"]})"), IsEmpty());
  EXPECT_THAT(dangling(R"({"packages": ["../gone/pievt/pi-extension", "npm:pievt", "../other"],
                           "extensions": [{"source": "/gone/pievt.ts"}, 7]})"),
              ElementsAre("../gone/pievt/pi-extension", "/gone/pievt.ts"));
  EXPECT_THAT(dangling("{nonsense"), IsEmpty());
  EXPECT_THAT(dangling("[]"), IsEmpty());
}

}  // namespace
}  // namespace pievt::tools
