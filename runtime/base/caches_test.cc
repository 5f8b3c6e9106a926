#include "runtime/base/caches.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace fuseau {
namespace {

using caches_internal::CountProcessors;
using caches_internal::ReadCaches;

TEST(CachesTest, CountsProcessors) {
  EXPECT_EQ(CountProcessors("0"), 1);
  EXPECT_EQ(CountProcessors("0-3"), 4);
  EXPECT_EQ(CountProcessors("0,64"), 2);
  EXPECT_EQ(CountProcessors("0-1,8-9"), 4);
  EXPECT_EQ(CountProcessors(""), 1);
}

class FakeSystem {
 public:
  FakeSystem()
      : folder_(std::filesystem::path(testing::TempDir()) / "fuseau_caches") {
    std::filesystem::remove_all(folder_);
  }
  ~FakeSystem() { std::filesystem::remove_all(folder_); }

  void Add(const char* level, const char* type, const char* size,
           const char* processors) {
    const auto cache = folder_ / ("index" + std::to_string(count_++));
    std::filesystem::create_directories(cache);
    std::ofstream(cache / "level") << level << "\n";
    std::ofstream(cache / "type") << type << "\n";
    std::ofstream(cache / "size") << size << "\n";
    std::ofstream(cache / "shared_cpu_list") << processors << "\n";
  }
  std::string folder() const { return folder_.string(); }

 private:
  const std::filesystem::path folder_;
  int count_ = 0;
};

TEST(CachesTest, ReadsWhatTheSystemTells) {
  FakeSystem system;
  system.Add("1", "Data", "48K", "0,32");
  system.Add("1", "Instruction", "32K", "0,32");
  system.Add("2", "Unified", "2048K", "0,32");
  system.Add("3", "Unified", "32768K", "0-7,32-39");
  const CacheSizes sizes = ReadCaches(system.folder());
  EXPECT_EQ(sizes.first, 24 << 10);
  EXPECT_EQ(sizes.core, 1 << 20);
  EXPECT_EQ(sizes.shared, 32 << 20);
}

TEST(CachesTest, WithoutAThirdLevel) {
  FakeSystem system;
  system.Add("1", "Data", "64K", "0");
  system.Add("2", "Unified", "4096K", "0-3");
  const CacheSizes sizes = ReadCaches(system.folder());
  EXPECT_EQ(sizes.core, 1 << 20);
  EXPECT_EQ(sizes.shared, 4 << 20);
}

TEST(CachesTest, DefaultsWhereNothingIsKnown) {
  const CacheSizes sizes = ReadCaches("/nowhere");
  EXPECT_EQ(sizes.first, CacheSizes().first);
  EXPECT_EQ(sizes.shared, CacheSizes().shared);
  EXPECT_GT(Caches().first, 0);
}

}  // namespace
}  // namespace fuseau
