#include "runtime/selection.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "runtime/cpu/machine.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace fuseau::runtime {
namespace {

// Without branches: an element that is not selected is overwritten by the next
// one.
template <int kBytes>
char* CopyOneByOne(const char* from, int64_t from_step, const char* mask,
                   int64_t mask_step, int64_t n, char* out, char* end) {
  for (int64_t i = 0; i < n && out != end; ++i) {
    std::memcpy(out, from + i * from_step, kBytes);
    out += mask[i * mask_step] != 0 ? kBytes : 0;
  }
  return out;
}

int64_t* PlacesOneByOne(const char* mask, int64_t mask_step, int64_t n,
                        int64_t first, int64_t* out, int64_t* end) {
  for (int64_t i = 0; i < n && out != end; ++i) {
    *out = first + i;
    out += mask[i * mask_step] != 0;
  }
  return out;
}

#ifdef __x86_64__
#define FUSEAU_COMPRESS_TARGET \
  __attribute__((              \
      target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,popcnt")))

constexpr int kMaskBytes = 64;  // of a vector

// Writes the selected elements of a vector: all of a vector while there is
// room for it, since that is faster than a store under a mask.
template <int kBytes>
FUSEAU_COMPRESS_TARGET inline char* StoreSelected(__m512i v, uint64_t bits,
                                                  bool room, char* out) {
  if constexpr (kBytes == 1) {
    const auto m = static_cast<__mmask64>(bits);
    if (room)
      _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(m, v));
    else
      _mm512_mask_compressstoreu_epi8(out, m, v);
  } else if constexpr (kBytes == 2) {
    const auto m = static_cast<__mmask32>(bits);
    if (room)
      _mm512_storeu_si512(out, _mm512_maskz_compress_epi16(m, v));
    else
      _mm512_mask_compressstoreu_epi16(out, m, v);
  } else if constexpr (kBytes == 4) {
    const auto m = static_cast<__mmask16>(bits);
    if (room)
      _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(m, v));
    else
      _mm512_mask_compressstoreu_epi32(out, m, v);
  } else {
    const auto m = static_cast<__mmask8>(bits);
    if (room)
      _mm512_storeu_si512(out, _mm512_maskz_compress_epi64(m, v));
    else
      _mm512_mask_compressstoreu_epi64(out, m, v);
  }
  return out + __builtin_popcountll(bits) * kBytes;
}

template <int kBytes>
FUSEAU_COMPRESS_TARGET char* CopyByVectors(const char* from, const char* mask,
                                           int64_t n, char* out, char* end) {
  constexpr int kLanes = 64 / kBytes;
  constexpr uint64_t kAll =
      kLanes == 64 ? ~uint64_t{0} : (uint64_t{1} << (kLanes % 64)) - 1;
  int64_t i = 0;
  for (; i + kMaskBytes <= n && out != end; i += kMaskBytes) {
    const __m512i bytes = _mm512_loadu_si512(mask + i);
    uint64_t bits = _mm512_test_epi8_mask(bytes, bytes);
    const bool room = end - out >= kMaskBytes * kBytes;
    const char* elements = from + i * kBytes;
    for (; bits != 0; elements += 64) {
      const uint64_t some = bits & kAll;
      if (some != 0)
        out = StoreSelected<kBytes>(_mm512_loadu_si512(elements), some, room,
                                    out);
      bits = kLanes == 64 ? 0 : bits >> (kLanes % 64);
    }
  }
  return CopyOneByOne<kBytes>(from + i * kBytes, kBytes, mask + i, 1, n - i,
                              out, end);
}

FUSEAU_COMPRESS_TARGET int64_t* PlacesByVectors(const char* mask, int64_t n,
                                                int64_t first, int64_t* out,
                                                int64_t* end) {
  int64_t i = 0;
  for (; i + kMaskBytes <= n && out != end; i += kMaskBytes) {
    const __m512i bytes = _mm512_loadu_si512(mask + i);
    uint64_t bits = _mm512_test_epi8_mask(bytes, bytes);
    const bool room = end - out >= kMaskBytes;
    __m512i places = _mm512_add_epi64(_mm512_set1_epi64(first + i),
                                      _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    for (; bits != 0; bits >>= 8) {
      out = reinterpret_cast<int64_t*>(StoreSelected<8>(
          places, bits & 0xff, room, reinterpret_cast<char*>(out)));
      places = _mm512_add_epi64(places, _mm512_set1_epi64(8));
    }
  }
  return PlacesOneByOne(mask + i, 1, n - i, first + i, out, end);
}
#endif  // __x86_64__

template <int kBytes>
char* Copy(const char* from, int64_t from_step, const char* mask,
           int64_t mask_step, int64_t n, char* out, char* end) {
#ifdef __x86_64__
  if constexpr (kBytes <= 8) {
    if (from_step == kBytes && mask_step == 1 && HasAvx512Vbmi2())
      return CopyByVectors<kBytes>(from, mask, n, out, end);
  }
#endif
  return CopyOneByOne<kBytes>(from, from_step, mask, mask_step, n, out, end);
}

}  // namespace

int64_t CountSelected(const char* mask, int64_t step, int64_t n) {
  int64_t count = 0;
  if (step != 1) {
    for (int64_t i = 0; i < n; ++i) count += mask[i * step] != 0;
    return count;
  }
  // Sums of single bytes stay in vectors as long as they cannot overflow.
  constexpr int kWidth = 64, kRows = 255;
  while (n >= kWidth) {
    const int64_t rows = std::min<int64_t>(n / kWidth, kRows);
    uint8_t sums[kWidth] = {};
    for (int64_t row = 0; row < rows; ++row, mask += kWidth) {
      for (int k = 0; k < kWidth; ++k) sums[k] += mask[k] != 0;
    }
    for (uint8_t sum : sums) count += sum;
    n -= rows * kWidth;
  }
  for (int64_t i = 0; i < n; ++i) count += mask[i] != 0;
  return count;
}

char* CopySelected(int64_t item, const char* from, int64_t from_step,
                   const char* mask, int64_t mask_step, int64_t n, char* out,
                   char* end) {
  const auto copy = [&](auto bytes) {
    return Copy<bytes>(from, from_step, mask, mask_step, n, out, end);
  };
  switch (item) {
    case 1:
      return copy(std::integral_constant<int, 1>());
    case 2:
      return copy(std::integral_constant<int, 2>());
    case 4:
      return copy(std::integral_constant<int, 4>());
    case 8:
      return copy(std::integral_constant<int, 8>());
    default:
      return copy(std::integral_constant<int, 16>());
  }
}

int64_t* SelectedPlaces(const char* mask, int64_t mask_step, int64_t n,
                        int64_t first, int64_t* out, int64_t* end) {
#ifdef __x86_64__
  if (mask_step == 1 && HasAvx512Vbmi2())
    return PlacesByVectors(mask, n, first, out, end);
#endif
  return PlacesOneByOne(mask, mask_step, n, first, out, end);
}

}  // namespace fuseau::runtime
