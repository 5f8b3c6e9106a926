#include "runtime/base/settings.h"

#include <cstdlib>

#include "gtest/gtest.h"

namespace fuseau {
namespace {

// The environment is read at the first question: set it before main().
const bool kPrepared = [] {
  setenv("FUSEAU_TEST_INT", " 12K ", 1);
  setenv("FUSEAU_TEST_BAD", "many", 1);
  setenv("FUSEAU_TEST_EMPTY", "", 1);
  setenv("FUSEAU_TEST_BOOL", "Off", 1);
  setenv("FUSEAU_TEST_TEXT", "a=b", 1);
  return true;
}();

TEST(SettingsTest, ReadsTheEnvironmentOnce) {
  ASSERT_TRUE(kPrepared);
  EXPECT_EQ(SettingInt("FUSEAU_TEST_INT", 1), 12 * 1024);
  EXPECT_EQ(SettingInt("FUSEAU_TEST_NONE", 7), 7);
  EXPECT_EQ(SettingInt("FUSEAU_TEST_BAD", 7), 7);
  EXPECT_EQ(SettingInt("FUSEAU_TEST_EMPTY", 7), 7);
  EXPECT_FALSE(SettingBool("FUSEAU_TEST_BOOL", true));
  EXPECT_TRUE(SettingBool("FUSEAU_TEST_BAD", true));
  EXPECT_EQ(SettingString("FUSEAU_TEST_TEXT", ""), "a=b");
  EXPECT_FALSE(Setting("FUSEAU_TEST_NONE").has_value());
  setenv("FUSEAU_TEST_INT", "13", 1);
  EXPECT_EQ(SettingInt("FUSEAU_TEST_INT", 1), 12 * 1024);
}

TEST(SettingsTest, ParsesSizes) {
  using settings_internal::ParseInt;
  EXPECT_EQ(ParseInt("0"), 0);
  EXPECT_EQ(ParseInt("-3"), -3);
  EXPECT_EQ(ParseInt("1.5G"), std::nullopt);
  EXPECT_EQ(ParseInt("2GiB"), int64_t{2} << 30);
  EXPECT_EQ(ParseInt("2GB"), int64_t{2} << 30);
  EXPECT_EQ(ParseInt("4t"), int64_t{4} << 40);
  EXPECT_EQ(ParseInt("9999999999G"), std::nullopt);
  EXPECT_EQ(ParseInt("K"), std::nullopt);
  EXPECT_EQ(ParseInt("iB"), std::nullopt);
  EXPECT_EQ(ParseInt(""), std::nullopt);
}

TEST(SettingsTest, ParsesBooleans) {
  using settings_internal::ParseBool;
  EXPECT_EQ(ParseBool("YES"), true);
  EXPECT_EQ(ParseBool("0"), false);
  EXPECT_EQ(ParseBool("2"), std::nullopt);
}

}  // namespace
}  // namespace fuseau
