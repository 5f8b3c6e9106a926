#include "runtime/route.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace fuseau::runtime {
namespace {

// Ranks 0, 2 and 3 have selected numbers; who gets them is cut elsewhere.
TEST(Route, EveryElementGoesToItsOwner) {
  Route route;
  route.unit = 2;
  route.givers = {0, 2, 3};
  route.cuts = {0, 6, 6, 16, 20};
  const std::vector<int64_t> counts = {5, 1, 4};
  const std::vector<std::string> sources = {"aabbccddee", "", "ff", "gghhiijj"};
  std::vector<std::string> targets = {"......", "", "..........", "...."};
  std::vector<Transfer> transfers;
  for (int r = 0; r < 4; ++r) {
    auto transfer = Follow(route, counts.data(), r);
    ASSERT_TRUE(transfer.ok()) << transfer.status();
    transfers.push_back(*std::move(transfer));
  }
  for (int r = 0; r < 4; ++r) {
    for (const Transfer::Copy& copy : transfers[r].copies) {
      targets[r].replace(copy.to.offset, copy.to.bytes,
                         sources[r].substr(copy.from.offset, copy.from.bytes));
    }
    for (const Transfer::Message& receive : transfers[r].receives) {
      const Transfer::Message* sent = nullptr;
      for (const Transfer::Message& send : transfers[receive.peer].sends)
        if (send.peer == r) sent = &send;
      ASSERT_NE(sent, nullptr);
      ASSERT_EQ(sent->bytes, receive.bytes);
      targets[r].replace(
          receive.parts[0].offset, receive.bytes,
          sources[receive.peer].substr(sent->parts[0].offset, sent->bytes));
    }
  }
  EXPECT_EQ(targets[0], "aabbcc");
  EXPECT_EQ(targets[2], "ddeeffgghh");
  EXPECT_EQ(targets[3], "iijj");
  EXPECT_TRUE(transfers[1].empty());
}

TEST(Route, OtherCountsAreAnError) {
  Route route;
  route.unit = 8;
  route.givers = {0, 1};
  route.cuts = {0, 16, 32};
  const int64_t counts[] = {1, 2};
  EXPECT_EQ(Follow(route, counts, 0).status().code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace fuseau::runtime
