#include "runtime/arena.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace fuseau::runtime {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

BufferRef Get(Arena& arena, int64_t bytes) {
  absl::StatusOr<BufferRef> buffer = arena.Allocate(bytes);
  EXPECT_TRUE(buffer.ok()) << buffer.status();
  return buffer.ok() ? *buffer : nullptr;
}

TEST(ArenaTest, MemoryIsAlignedAndUsable) {
  Arena arena(256 * kMiB);
  for (int64_t bytes : {0, 1, 63, 64, 65, 1000, 4096, 100'000}) {
    BufferRef b = Get(arena, bytes);
    EXPECT_EQ(b->bytes(), bytes);
    EXPECT_EQ(reinterpret_cast<intptr_t>(b->data()) % 64, 0);
    std::memset(b->data(), 1, bytes);
  }
  for (int64_t bytes : {kMiB - 1, kMiB, 2 * kMiB + 1, 9 * kMiB}) {
    BufferRef b = Get(arena, bytes);
    EXPECT_EQ(reinterpret_cast<intptr_t>(b->data()) % 64, 0);
    if (bytes >= kMiB) {
      EXPECT_EQ(reinterpret_cast<intptr_t>(b->data()) % (2 * kMiB), 0);
    }
    std::memset(b->data(), 1, bytes);
  }
}

TEST(ArenaTest, FreedBlocksAreUsedAgain) {
  Arena arena(256 * kMiB);
  for (int64_t bytes : {100, 5000, 700'000}) {
    const char* first = Get(arena, bytes)->data();
    EXPECT_EQ(Get(arena, bytes)->data(), first);
  }
  const char* large = Get(arena, 8 * kMiB)->data();
  EXPECT_EQ(Get(arena, 7 * kMiB)->data(), large);
  // Far too large for it.
  EXPECT_NE(Get(arena, kMiB)->data(), large);
}

TEST(ArenaTest, BestFit) {
  Arena arena(256 * kMiB);
  BufferRef a = Get(arena, 20 * kMiB);
  BufferRef b = Get(arena, 16 * kMiB);
  BufferRef c = Get(arena, 18 * kMiB);
  const char* want = b->data();
  a.reset();
  b.reset();
  c.reset();
  EXPECT_EQ(Get(arena, 15 * kMiB)->data(), want);
}

TEST(ArenaTest, CacheIsBounded) {
  Arena arena(10 * kMiB);
  std::vector<BufferRef> buffers;
  for (int i = 0; i < 6; ++i) buffers.push_back(Get(arena, 4 * kMiB));
  for (int i = 0; i < 30; ++i) buffers.push_back(Get(arena, kMiB / 2));
  const int64_t live = arena.usage().live_bytes;
  EXPECT_GE(live, 39 * kMiB);
  buffers.clear();
  EXPECT_EQ(arena.usage().live_bytes, 0);
  EXPECT_EQ(arena.usage().peak_bytes, live);
  EXPECT_LE(arena.usage().cached_bytes, 10 * kMiB);
  EXPECT_GT(arena.usage().cached_bytes, 0);
  arena.Trim();
  EXPECT_EQ(arena.usage().cached_bytes, 0);
}

TEST(ArenaTest, ZeroedMemoryIsZeroAlsoWhenUsedBefore) {
  Arena arena(256 * kMiB);
  for (int64_t bytes : {int64_t{40}, 3 * kMiB, 11 * kMiB}) {
    for (int round = 0; round < 2; ++round) {
      absl::StatusOr<BufferRef> b = arena.AllocateZeroed(bytes);
      ASSERT_TRUE(b.ok());
      const char* data = (*b)->data();
      EXPECT_TRUE(
          std::all_of(data, data + bytes, [](char c) { return c == 0; }));
      std::memset((*b)->data(), 7, bytes);
    }
  }
}

TEST(ArenaTest, HugeRequestIsAnError) {
  Arena arena(256 * kMiB);
  for (int64_t bytes :
       {int64_t{1} << 45, int64_t{1} << 62, INT64_MAX, INT64_MAX - kMiB}) {
    absl::StatusOr<BufferRef> b = arena.Allocate(bytes);
    EXPECT_EQ(b.status().code(), absl::StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(arena.Allocate(int64_t{1} << 45).status().message(),
            "Unable to allocate 32.0 TiB");
  EXPECT_FALSE(arena.Allocate(-1).ok());
  EXPECT_EQ(arena.usage().live_bytes, 0);
}

// Each fits alone, and nothing is touched.
TEST(ArenaTest, ManyLargeRequestsAreAnError) {
  Arena arena(256 * kMiB);
  std::vector<BufferRef> buffers;
  absl::Status status;
  for (int i = 0; i < 10'000 && status.ok(); ++i) {
    absl::StatusOr<BufferRef> b = arena.Allocate(1024 * kMiB);
    status = b.status();
    if (b.ok()) buffers.push_back(*b);
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
}

TEST(ArenaTest, BuffersAreFreedByAnyThread) {
  Arena arena(64 * kMiB);
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::vector<BufferRef> shared;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 400; ++i) {
        BufferRef mine = Get(arena, 1 << (random() % 21));
        mine->data()[0] = static_cast<char>(t);
        BufferRef other;
        std::lock_guard<std::mutex> lock(mutex);
        shared.push_back(mine);
        std::swap(shared[random() % shared.size()], other);
        if (shared.size() > 40) shared.erase(shared.begin());
      }
    });
  }
  for (std::thread& t : threads) t.join();
  shared.clear();
  EXPECT_EQ(arena.usage().live_bytes, 0);
}

TEST(ArenaTest, SizeClassesCoverAllSizes) {
  using arena_internal::ClassBytes;
  using arena_internal::SizeClass;
  for (int64_t bytes = 0; bytes < kMiB; bytes += 1 + bytes / 97) {
    const int c = SizeClass(bytes);
    ASSERT_GE(ClassBytes(c), bytes);
    ASSERT_LT(c, 29);
    if (bytes > 128) ASSERT_LE(ClassBytes(c), bytes * 3 / 2 + 64);
  }
  EXPECT_EQ(SizeClass(kMiB - 1), 28);
  EXPECT_EQ(ClassBytes(28), kMiB);
}

TEST(ArenaTest, SizesReadLikeNumPys) {
  using arena_internal::SizeText;
  EXPECT_EQ(SizeText(8'000'000'000), "7.45 GiB");
  EXPECT_EQ(SizeText(100), "100 bytes");
  EXPECT_EQ(SizeText(100 << 10), "100. KiB");
  EXPECT_EQ(SizeText(1000 << 10), "1000. KiB");
  EXPECT_EQ(SizeText((int64_t{1} << 30) - 1), "1.00 GiB");
  EXPECT_EQ(SizeText(INT64_MAX), "8.00 EiB");
}

TEST(BufferTest, WrapReleasesOnce) {
  int released = 0;
  double data[4] = {};
  BufferRef a = Buffer::Wrap(data, sizeof(data), [&] { ++released; });
  EXPECT_EQ(a->data(), reinterpret_cast<char*>(data));
  EXPECT_TRUE(a->Unique());
  BufferRef b = a;
  EXPECT_FALSE(a->Unique());
  a = nullptr;
  EXPECT_EQ(released, 0);
  Buffer* plain = b.Release();
  EXPECT_FALSE(b);
  BufferRef::Adopt(plain).reset();
  EXPECT_EQ(released, 1);
}

}  // namespace
}  // namespace fuseau::runtime
