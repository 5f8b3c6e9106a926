#include "runtime/cpu/bytes.h"

#include <algorithm>
#include <cstring>

#include "absl/functional/function_ref.h"
#include "runtime/base/caches.h"
#include "runtime/thread_pool.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace fuseau::runtime {
namespace {

// A thread moves so many bytes in about 20 us when they are in no cache.
constexpr int64_t kChunk = int64_t{256} << 10;

void InChunks(int64_t bytes, absl::FunctionRef<void(int64_t, int64_t)> move) {
  if (bytes <= 2 * kChunk) {
    if (bytes > 0) move(0, bytes);
    return;
  }
  const int threads = ThreadPool::Global().thread_count();
  int64_t chunk = std::max(kChunk, bytes / (int64_t{4} * threads));
  chunk = (chunk + 63) / 64 * 64;
  ThreadPool::Global().ParallelFor((bytes + chunk - 1) / chunk, [&](int64_t i) {
    move(i * chunk, std::min(chunk, bytes - i * chunk));
  });
}

void PlainCopy(char* to, const char* from, int64_t bytes) {
  std::memcpy(to, from, bytes);
}

#if defined(__x86_64__)
// Past the caches: the lines of the target are not read first.
void StreamCopy(char* to, const char* from, int64_t bytes) {
  constexpr int64_t kLine = 64;
  const int64_t head =
      std::min(bytes, -reinterpret_cast<intptr_t>(to) & (kLine - 1));
  std::memcpy(to, from, head);
  int64_t i = head;
  for (; i + kLine <= bytes; i += kLine) {
    const auto* source = reinterpret_cast<const __m128i*>(from + i);
    auto* target = reinterpret_cast<__m128i*>(to + i);
    for (int k = 0; k < 4; ++k) {
      _mm_stream_si128(target + k, _mm_loadu_si128(source + k));
    }
  }
  _mm_sfence();
  std::memcpy(to + i, from + i, bytes - i);
}
#else
constexpr auto StreamCopy = PlainCopy;
#endif

}  // namespace

void FillBytes(char* to, int value, int64_t bytes) {
  InChunks(bytes, [&](int64_t start, int64_t n) {
    std::memset(to + start, value, n);
  });
}

CopyFunction CopyFor(int64_t total) {
  // The C library decides by the size of a piece.
  return 2 * total > Caches().shared ? StreamCopy : PlainCopy;
}

void CopyBytes(char* to, const char* from, int64_t bytes) {
  const CopyFunction copy = CopyFor(bytes);
  InChunks(bytes, [&](int64_t start, int64_t n) {
    copy(to + start, from + start, n);
  });
}

void FillElements(char* to, const char* element, int size, int64_t bytes) {
  if (std::all_of(element, element + size,
                  [&](char c) { return c == element[0]; })) {
    FillBytes(to, element[0], bytes);
    return;
  }
  // A block of whole elements that the copies then repeat.
  constexpr int64_t kBlock = 4096;
  alignas(64) char block[kBlock];
  for (int64_t i = 0; i < kBlock; i += size) {
    std::memcpy(block + i, element, size);
  }
  InChunks(bytes, [&](int64_t start, int64_t n) {
    for (int64_t i = 0; i < n; i += kBlock) {
      std::memcpy(to + start + i, block, std::min(kBlock, n - i));
    }
  });
}

}  // namespace fuseau::runtime
