#include "runtime/cuda/pool.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace fuseau::runtime::cuda {
namespace {

constexpr int64_t kKiB = 1024;
constexpr int64_t kMiB = kKiB * kKiB;

// A driver that only counts.
class PoolTest : public ::testing::Test {
 protected:
  PoolTest() : pool_(MakeSource(), {.slab_bytes = kMiB}) {}

  Pool::Source MakeSource() {
    return {.allocate = [this](int64_t bytes) -> absl::StatusOr<CUdeviceptr> {
              if (live_ + bytes > limit_)
                return absl::ResourceExhaustedError("full");
              live_ += bytes;
              const CUdeviceptr address = next_;
              next_ += static_cast<CUdeviceptr>(bytes) + 4096;
              slabs_[address] = bytes;
              return address;
            },
            .free =
                [this](CUdeviceptr address) {
                  live_ -= slabs_.at(address);
                  slabs_.erase(address);
                }};
  }

  int64_t live_ = 0;
  int64_t limit_ = 8 * kMiB;
  CUdeviceptr next_ = 1 << 20;
  std::map<CUdeviceptr, int64_t> slabs_;
  Pool pool_;
};

TEST_F(PoolTest, NeighboursJoinAgain) {
  std::vector<Pool::Block*> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(*pool_.Take(256 * kKiB));
  EXPECT_EQ(pool_.usage().slabs, 1);
  EXPECT_EQ(pool_.usage().free, 0);
  // In any order.
  for (int i : {2, 0, 3, 1}) pool_.Give(blocks[i], {});
  EXPECT_EQ(pool_.usage().free, kMiB);
  Pool::Block* whole = *pool_.Take(kMiB);
  EXPECT_EQ(pool_.usage().slabs, 1);
  pool_.Give(whole, {});
  EXPECT_EQ(pool_.usage().peak, kMiB);
}

TEST_F(PoolTest, TakesTheSmallestBlockThatHoldsIt) {
  Pool::Block* a = *pool_.Take(100 * kKiB);
  Pool::Block* b = *pool_.Take(10 * kKiB);
  Pool::Block* c = *pool_.Take(200 * kKiB);
  Pool::Block* d = *pool_.Take(10 * kKiB);
  const CUdeviceptr small = a->address;
  pool_.Give(a, {});
  pool_.Give(c, {});
  Pool::Block* again = *pool_.Take(90 * kKiB);
  EXPECT_EQ(again->address, small);
  for (Pool::Block* block : {again, b, d}) pool_.Give(block, {});
}

TEST_F(PoolTest, SaysHowFarStreamsMustBe) {
  Pool::Block* a = *pool_.Take(512 * kKiB);
  Pool::Block* b = *pool_.Take(512 * kKiB);
  EXPECT_EQ(a->last, Positions{});
  pool_.Give(a, {7, 1, 0});
  pool_.Give(b, {3, 2, 5});
  // A part of the joined block may have been used by both.
  Pool::Block* part = *pool_.Take(10 * kKiB);
  EXPECT_EQ(part->last, (Positions{7, 2, 5}));
  pool_.Give(part, {});
}

TEST_F(PoolTest, LargeRequestsHaveSlabsOfTheirOwn) {
  Pool::Block* large = *pool_.Take(3 * kMiB);
  EXPECT_EQ(pool_.usage().slabs, 1);
  EXPECT_EQ(live_, 4 * kMiB);  // whole pages
  pool_.Give(large, {});
  pool_.Trim(0);
  EXPECT_EQ(live_, 0);
}

TEST_F(PoolTest, FullDevice) {
  limit_ = 3 * kMiB / 2;
  Pool::Block* a = *pool_.Take(kMiB);
  // There is no room for another slab of the usual size, but for this.
  Pool::Block* b = *pool_.Take(300 * kKiB);
  EXPECT_TRUE(absl::IsResourceExhausted(pool_.Take(300 * kKiB).status()));
  pool_.Give(a, {});
  Pool::Block* c = *pool_.Take(300 * kKiB);
  pool_.Give(b, {});
  pool_.Give(c, {});
}

TEST_F(PoolTest, BlocksNeverOverlap) {
  std::mt19937 random(1);
  struct Use {
    Pool::Block* block;
    int64_t bytes;
  };
  std::vector<Use> uses;
  for (int step = 0; step < 5000; ++step) {
    if (uses.empty() || random() % 2 == 0) {
      const int64_t bytes = 1 + random() % (300 * kKiB);
      auto block = pool_.Take(bytes);
      if (!block.ok()) continue;
      EXPECT_GE((*block)->bytes, bytes);
      EXPECT_EQ((*block)->address % 512, 0);
      for (const Use& u : uses) {
        EXPECT_TRUE(u.block->address + u.bytes <= (*block)->address ||
                    (*block)->address + bytes <= u.block->address);
      }
      uses.push_back({*block, bytes});
    } else {
      const size_t i = random() % uses.size();
      pool_.Give(uses[i].block, {});
      uses.erase(uses.begin() + static_cast<ptrdiff_t>(i));
    }
    if (step % 100 == 0) pool_.Trim(0);
  }
  for (const Use& u : uses) pool_.Give(u.block, {});
  pool_.Trim(0);
  EXPECT_EQ(live_, 0);
  EXPECT_EQ(pool_.usage().used, 0);
}

}  // namespace
}  // namespace fuseau::runtime::cuda
