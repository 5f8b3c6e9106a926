#include "runtime/cpu/machine.h"

#include <sched.h>

#include "gtest/gtest.h"

namespace fuseau::runtime {
namespace {

TEST(MachineTest, NumbersMakeSense) {
  EXPECT_GE(AvailableCpus(), 1);
  EXPECT_GT(PhysicalMemory(), int64_t{64} << 20);
  EXPECT_GT(AvailableMemory(), 0);
  EXPECT_LE(AvailableMemory(), PhysicalMemory());
}

TEST(MachineTest, AffinityCounts) {
  cpu_set_t old;
  ASSERT_EQ(sched_getaffinity(0, sizeof(old), &old), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &old)) {
      CPU_SET(i, &one);
      break;
    }
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(AvailableCpus(), 1);
  sched_setaffinity(0, sizeof(old), &old);
}

}  // namespace
}  // namespace fuseau::runtime
