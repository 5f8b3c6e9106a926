// The vectors of limit.cc: AVX-512 or AVX2, whichever the compiler targets,
// with exp and log from glibc's libmvec called by their ABI names.

#ifndef TESTS_BENCH_SIMD_H_
#define TESTS_BENCH_SIMD_H_

#include <immintrin.h>

#if defined(__AVX512F__)

extern "C" {
__m512d _ZGVeN8v_exp(__m512d);
__m512d _ZGVeN8v_log(__m512d);
}

inline constexpr int kLanes = 8;
using Vec = __m512d;
inline Vec Load(const double* p) { return _mm512_loadu_pd(p); }
inline void Store(double* p, Vec v) { _mm512_storeu_pd(p, v); }
inline void Stream(double* p, Vec v) { _mm512_stream_pd(p, v); }
inline Vec Splat(double x) { return _mm512_set1_pd(x); }
inline Vec Sqrt(Vec v) { return _mm512_sqrt_pd(v); }
inline Vec Abs(Vec v) { return _mm512_abs_pd(v); }
inline Vec Max(Vec a, Vec b) { return _mm512_max_pd(a, b); }
inline Vec Exp(Vec v) { return _ZGVeN8v_exp(v); }
inline Vec Log(Vec v) { return _ZGVeN8v_log(v); }
inline Vec SelectPositive(Vec test, Vec yes, Vec no) {
  return _mm512_mask_blend_pd(
      _mm512_cmp_pd_mask(test, _mm512_setzero_pd(), _CMP_GT_OQ), no, yes);
}

#elif defined(__AVX2__)

extern "C" {
__m256d _ZGVdN4v_exp(__m256d);
__m256d _ZGVdN4v_log(__m256d);
}

inline constexpr int kLanes = 4;
using Vec = __m256d;
inline Vec Load(const double* p) { return _mm256_loadu_pd(p); }
inline void Store(double* p, Vec v) { _mm256_storeu_pd(p, v); }
inline void Stream(double* p, Vec v) { _mm256_stream_pd(p, v); }
inline Vec Splat(double x) { return _mm256_set1_pd(x); }
inline Vec Sqrt(Vec v) { return _mm256_sqrt_pd(v); }
inline Vec Abs(Vec v) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), v); }
inline Vec Max(Vec a, Vec b) { return _mm256_max_pd(a, b); }
inline Vec Exp(Vec v) { return _ZGVdN4v_exp(v); }
inline Vec Log(Vec v) { return _ZGVdN4v_log(v); }
inline Vec SelectPositive(Vec test, Vec yes, Vec no) {
  return _mm256_blendv_pd(no, yes,
                          _mm256_cmp_pd(test, _mm256_setzero_pd(), _CMP_GT_OQ));
}

#else
#error "limit.cc needs AVX2 or AVX-512: compile with -march=native on x86-64"
#endif

#endif  // TESTS_BENCH_SIMD_H_
