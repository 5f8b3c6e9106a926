// Outputs that are stored past the caches hold what others hold.

#include <gtest/gtest.h>

#include "codegen/cpu/kernel_test_util.h"
#include "runtime/inner_loops.h"

namespace fuseau::codegen {
namespace {

std::string Assembly(const KernelText& text, const Target& target,
                     OptLevel level) {
  auto module = ParseKernel(text.str());
  llvm::LLVMContext context;
  auto emitted = EmitKernel(KernelIn(*module), target, context);
  FUSEAU_CHECK(emitted.ok());
  auto assembly = CompileAssembly(**emitted, level);
  FUSEAU_CHECK(assembly.ok());
  return *assembly;
}

bool Contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

template <typename T>
KernelText CopyText() {
  return {.in = {TypeName<T>()},
          .out = {TypeName<T>()},
          .inner = {1, 1},
          .body = absl::StrCat("fuseau.yield %a0 : ", BodyTypeName<T>()),
          .streamed = 1};
}

template <typename T>
class StreamTest : public testing::Test {};
using AllTypes =
    testing::Types<bool, int8_t, int16_t, int32_t, int64_t, float, double,
                   std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(StreamTest, AllTypes);

TYPED_TEST(StreamTest, VectorsAreStoredPastTheCaches) {
  for (const Target& target : TestTargets()) {
    for (OptLevel level : {OptLevel::kO0, OptLevel::kO1}) {
      KernelText text = CopyText<TypeParam>();
      std::string assembly = Assembly(text, target, level);
      EXPECT_TRUE(Contains(assembly, "movnt")) << target.cpu;
      EXPECT_TRUE(Contains(assembly, "sfence")) << target.cpu;
      text.streamed = 0;
      assembly = Assembly(text, target, level);
      EXPECT_FALSE(Contains(assembly, "movnt")) << target.cpu;
      EXPECT_FALSE(Contains(assembly, "sfence")) << target.cpu;
    }
  }
}

// Also where no element is at an address at which vectors are aligned.
TYPED_TEST(StreamTest, AnyAddressAndLength) {
  using T = TypeParam;
  for (const Target& target : TestTargets()) {
    auto kernel = CompileText(CopyText<T>().str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    for (int64_t start : {0, 1, 3, 8, 16, 24, 32, 48, 56}) {
      for (int64_t n : {0, 1, 5, 31, 64, 129, 300}) {
        const int64_t bytes = n * int64_t{sizeof(T)};
        std::vector<char> in(bytes), want(bytes + 192, 0x5a);
        for (int64_t i = 0; i < bytes; ++i)
          in[i] = std::is_same_v<T, bool> ? i % 3 == 0 : 7 * i + 1;
        alignas(64) char out[300 * 16 + 192];
        memset(out, 0x5a, sizeof(out));
        memcpy(want.data() + start, in.data(), bytes);
        Arguments({n})
            .Operand(in.data(), {sizeof(T)})
            .Operand(out + start, {sizeof(T)})
            .Run(**kernel);
        ASSERT_EQ(memcmp(out, want.data(), want.size()), 0)
            << target.cpu << " start " << start << " n " << n;
      }
    }
  }
}

// Vectors of several outputs are aligned together, or none of them is.
TEST(Stream, SeveralOutputs) {
  const KernelText text{.in = {"f64"},
                        .out = {"f64", "f32", "complex<f64>"},
                        .inner = {1, 1, 1, 1},
                        .body =
                            "%0 = arith.truncf %a0 : f64 to f32\n"
                            "%1 = complex.create %a0, %a0 : complex<f64>\n"
                            "fuseau.yield %a0, %0, %1 : f64, f32, complex<f64>",
                        .streamed = 7};
  constexpr int64_t kCount = 200;
  for (const Target& target : TestTargets()) {
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    alignas(64) double a[kCount + 8];
    alignas(64) float b[kCount + 8];
    alignas(64) std::complex<double> c[kCount + 8];
    std::vector<double> in(kCount);
    for (int64_t i = 0; i < kCount; ++i) in[i] = 0.37 * i;
    for (int64_t first : {0, 3}) {
      for (int64_t second : {0, 3, 4}) {
        for (int64_t third : {0, 3, 5}) {
          Arguments({kCount})
              .Operand(in.data(), {8})
              .Operand(a + first, {8})
              .Operand(b + second, {4})
              .Operand(c + third, {16})
              .Run(**kernel);
          for (int64_t i = 0; i < kCount; ++i) {
            ASSERT_EQ(a[first + i], in[i]);
            ASSERT_EQ(b[second + i], static_cast<float>(in[i]));
            ASSERT_EQ(c[third + i], std::complex<double>(in[i], in[i]));
          }
        }
      }
    }
  }
}

// Rows that are computed together are stored together.
TEST(Stream, SeveralRows) {
  const KernelText text{.rank = 2,
                        .in = {"f64"},
                        .out = {"f64"},
                        .inner = {2, 1},
                        .body = "fuseau.yield %a0 : f64",
                        .rows = 4,
                        .streamed = 1};
  for (const Target& target : TestTargets()) {
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    for (int64_t columns : {64, 100, 101}) {
      const int64_t rows = 10;
      std::vector<double> in(rows * columns), out(rows * columns);
      for (size_t i = 0; i < in.size(); ++i) in[i] = 0.37 * i;
      Arguments({rows, columns})
          .Operand(in.data(), {8, 8 * rows})
          .Operand(out.data(), {8 * columns, 8})
          .Run(**kernel);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c)
          ASSERT_EQ(out[r * columns + c], in[c * rows + r]) << columns;
    }
  }
}

void Double(char** a, const int64_t* n, const int64_t* s, void*) {
  for (int64_t i = 0; i < *n; ++i) {
    double x;
    memcpy(&x, a[0] + i * s[0], 8);
    x *= 2;
    memcpy(a[1] + i * s[1], &x, 8);
  }
}

TEST(Stream, BodyWithCall) {
  runtime::RegisterInnerLoop("stream_test.d->d", {&Double, nullptr});
  const KernelText text{
      .in = {"f64"},
      .out = {"f64"},
      .inner = {1, 1},
      .body =
          "%0 = fuseau.call \"stream_test.d->d\"(%a0) : (f64) -> f64\n"
          "fuseau.yield %0 : f64",
      .streamed = 1};
  for (const Target& target : TestTargets()) {
    EXPECT_TRUE(Contains(Assembly(text, target, OptLevel::kO1), "movnt"));
    auto kernel = CompileText(text.str(), target);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    for (int64_t n : {1, 100, 1200}) {
      TestArray<double> in(n, 1), out(n, 1);
      for (int64_t i = 0; i < n; ++i) in.Set(i, 0.37 * i);
      Arguments({n}).Array(in).Array(out).Run(**kernel);
      for (int64_t i = 0; i < n; ++i) ASSERT_EQ(out.Get(i), 2 * in.Get(i));
    }
  }
}

TEST(Stream, OnlyWhatIsSideBySideAndNotReadAgain) {
  KernelText text = CopyText<double>();
  text.inner = {1, 2};
  EXPECT_FALSE(CompileText(text.str(), TestTargets()[0]).ok());
  text.inner = {1, 1};
  text.reduction = "inner";
  text.combiners = {"sum"};
  EXPECT_FALSE(CompileText(text.str(), TestTargets()[0]).ok());
}

}  // namespace
}  // namespace fuseau::codegen
