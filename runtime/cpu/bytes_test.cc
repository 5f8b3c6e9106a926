#include "runtime/cpu/bytes.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/caches.h"

namespace fuseau::runtime {
namespace {

constexpr char kGap = 0x5a;

// Also copies that pass the caches, which have a head and a tail.
TEST(CopyBytesTest, AnySizeAndAlignment) {
  for (const int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{63}, int64_t{200},
                              int64_t{600'001}, Caches().shared / 2 + 12'345}) {
    for (const int64_t to : {0, 1, 16, 63}) {
      for (const int64_t from : {0, 5}) {
        std::vector<char> source(bytes + 64);
        for (size_t i = 0; i < source.size(); ++i) {
          source[i] = static_cast<char>(i * 7 + i / 251);
        }
        std::vector<char> target(bytes + 128, kGap);
        std::vector<char> want = target;
        std::copy_n(source.begin() + from, bytes, want.begin() + to);
        CopyBytes(target.data() + to, source.data() + from, bytes);
        ASSERT_TRUE(target == want) << bytes << " " << to << " " << from;
      }
    }
  }
}

TEST(FillElementsTest, WholeElementsInEachChunk) {
  for (const int64_t count : {0, 1, 100, 70'000}) {
    for (const int size : {1, 2, 4, 8, 16}) {
      std::vector<char> element(size), want, target(count * size + 1, kGap);
      for (int i = 0; i < size; ++i) element[i] = static_cast<char>(i + 1);
      for (int64_t i = 0; i < count; ++i) {
        want.insert(want.end(), element.begin(), element.end());
      }
      want.push_back(kGap);
      FillElements(target.data(), element.data(), size, count * size);
      ASSERT_TRUE(target == want) << count << " " << size;
    }
  }
}

}  // namespace
}  // namespace fuseau::runtime
