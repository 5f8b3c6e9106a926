// Maps on the emulated device against the processor's kernels.

#include <complex>

#include "codegen/gpu/kernel_test_util.h"

namespace fuseau::codegen::gpu {
namespace {

const std::vector<int64_t> kSizes = {0,  1,   2,   3,   31,   32,
                                     33, 255, 256, 257, 1000, 4099};

template <typename T>
std::string AddBody() {
  std::string op = "arith.addi";
  if (std::is_same_v<T, bool>) op = "arith.xori";
  if (std::is_floating_point_v<T>) op = "arith.addf";
  if (!std::is_arithmetic_v<T>) op = "complex.add";
  const std::string type = BodyTypeName<T>();
  return absl::StrCat("%c = ", op, " %a0, %a1 : ", type,
                      "\nfuseau.yield %c : ", type);
}

template <typename T>
KernelText AddText(std::vector<int> inner) {
  return {.in = {TypeName<T>(), TypeName<T>()},
          .out = {TypeName<T>()},
          .inner = std::move(inner),
          .body = AddBody<T>()};
}

template <typename... T>
std::vector<KernelText> AddTexts(std::vector<int> inner) {
  return {AddText<T>(inner)...};
}

TEST(GpuMap, AllTypes) {
  std::vector<KernelText> texts =
      AddTexts<bool, int8_t, uint16_t, int32_t, uint64_t, float, double,
               std::complex<float>, std::complex<double>>({1, 1, 1});
  for (const Twins& twin : MakeTwins(texts))
    for (int64_t n : kSizes) ASSERT_TRUE(Agree(twin, {n}));
}

TEST(GpuMap, StrideClasses) {
  std::vector<KernelText> texts;
  for (std::vector<int> inner : std::vector<std::vector<int>>{{0, 1, 1},
                                                              {1, -1, 1},
                                                              {2, 1, 1},
                                                              {1, 2, -1},
                                                              {-1, 0, 2},
                                                              {2, 2, 2}}) {
    texts.push_back(AddText<float>(inner));
    texts.push_back(AddText<std::complex<double>>(inner));
  }
  for (const Twins& twin : MakeTwins(texts))
    for (int64_t n : kSizes) ASSERT_TRUE(Agree(twin, {n}));
}

// Rows that start at all alignments, broadcasts along outer dimensions, iotas
// and scalars, results of other types.
TEST(GpuMap, RanksAndMixedTypes) {
  const std::string body =
      "%i = arith.extf %a1 : f32 to f64\n"
      "%p = arith.mulf %a0, %i : f64\n"
      "%q = arith.addf %p, %a3 : f64\n"
      "%r = arith.addf %q, %a2 : f64\n"
      "%c = arith.cmpf olt, %r, %a3 : f64\n"
      "fuseau.yield %r, %c : f64, i1";
  std::vector<KernelText> texts;
  for (int rank : {1, 2, 3})
    texts.push_back({.rank = rank,
                     .in = {"f64", "f32", "f64"},
                     .scalars = {"f64"},
                     .out = {"f64", "i1"},
                     .inner = {1, 1, 2, 1, 1},
                     .body = body,
                     .iotas = 4});
  const std::vector<Twins> twins = MakeTwins(texts);
  for (int pad : {0, 1, 3}) {
    for (int64_t n : {1, 2, 3, 7, 33, 258}) {
      ASSERT_TRUE(Agree(twins[0], {n}, {.pad = pad}));
      ASSERT_TRUE(Agree(twins[1], {5, n}, {.pad = pad}));
      ASSERT_TRUE(Agree(twins[1], {5, n}, {.pad = pad, .still = {1}}));
      ASSERT_TRUE(Agree(twins[2], {3, 4, n}, {.pad = pad, .still = {2, 1}}));
      ASSERT_TRUE(Agree(twins[2], {3, 0, n}, {.pad = pad}));
    }
  }
}

TEST(GpuMap, RankZero) {
  KernelText text = AddText<double>({1, 1, 1});
  text.rank = 0;
  ASSERT_TRUE(Agree(MakeTwins({text})[0], {}));
}

// A result may have the address of an input of the same point.
TEST(GpuMap, InPlace) {
  const std::vector<Twins> twins = MakeTwins({AddText<double>({1, 1, 1})});
  std::vector<double> a(1000), b(1000), expected(1000);
  for (uint32_t order : kOrders) {
    for (int i = 0; i < 1000; ++i) {
      a[i] = i;
      b[i] = 0.5 * i;
      expected[i] = a[i] + b[i];
    }
    const auto address = reinterpret_cast<int64_t>(a.data());
    RunEmulated(
        twins[0], {1000},
        {1000, address, 8, reinterpret_cast<int64_t>(b.data()), 8, address, 8},
        order);
    EXPECT_EQ(a, expected) << order;
  }
}

TEST(GpuMap, RefusesWhatOnlyTheProcessorDoes) {
  KernelText text = AddText<double>({1, 1, 1});
  text.body =
      "%c = fuseau.call \"sinc.dd->d\"(%a0, %a1) : (f64, f64) -> f64\n"
      "fuseau.yield %c : f64";
  auto module = ParseKernel(text.str());
  absl::StatusOr<GpuSource> source = EmitCuda(KernelIn(*module));
  EXPECT_EQ(source.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(source.status().message(), "no GPU code for sinc.dd->d");
}

}  // namespace
}  // namespace fuseau::codegen::gpu
