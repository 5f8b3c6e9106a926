// The ops of bodies on the emulated device against the processor's, with values
// at which they differ if anything does; and the text of two kernels.

#include "codegen/gpu/scalar_body.h"

#include <cmath>
#include <limits>

#include "codegen/gpu/kernel_test_util.h"

namespace fuseau::codegen::gpu {
namespace {

struct Op {
  const char* text;  // of %a0, %a1 and %a2
  const char* in;
  const char* out;
};

constexpr Op kOps[] = {
    {"arith.maximumf %a0, %a1 : f64", "f64", "f64"},
    {"arith.minimumf %a0, %a1 : f32", "f32", "f32"},
    {"arith.fptosi %a0 : f64 to i8", "f64", "si8"},
    {"arith.fptosi %a0 : f64 to i32", "f64", "si32"},
    {"arith.fptosi %a0 : f64 to i64", "f64", "si64"},
    {"arith.fptoui %a0 : f64 to i16", "f64", "ui16"},
    {"arith.fptoui %a0 : f64 to i32", "f64", "ui32"},
    {"arith.fptoui %a0 : f64 to i64", "f64", "ui64"},
    {"arith.fptosi %a0 : f32 to i32", "f32", "si32"},
    {"arith.fptosi %a0 : f32 to i64", "f32", "si64"},
    {"arith.fptoui %a0 : f32 to i32", "f32", "ui32"},
    {"arith.fptoui %a0 : f32 to i64", "f32", "ui64"},
    {"arith.truncf %a0 : f64 to f32", "f64", "f32"},
    {"arith.divf %a0, %a1 : f64", "f64", "f64"},
    {"math.sqrt %a0 : f64", "f64", "f64"},
    {"math.floor %a0 : f64", "f64", "f64"},
    {"math.ceil %a0 : f32", "f32", "f32"},
    {"math.trunc %a0 : f64", "f64", "f64"},
    {"math.roundeven %a0 : f64", "f64", "f64"},
    {"math.copysign %a0, %a1 : f64", "f64", "f64"},
    {"math.absf %a0 : f32", "f32", "f32"},
    {"math.fma %a0, %a1, %a2 : f64", "f64", "f64"},
    {"arith.negf %a0 : f64", "f64", "f64"},
    {"arith.cmpf olt, %a0, %a1 : f64", "f64", "i1"},
    {"arith.cmpf one, %a0, %a1 : f64", "f64", "i1"},
    {"arith.cmpf ueq, %a0, %a1 : f64", "f64", "i1"},
    {"arith.cmpf uge, %a0, %a1 : f64", "f64", "i1"},
    {"arith.cmpf uno, %a0, %a1 : f64", "f64", "i1"},
    {"arith.bitcast %a0 : f64 to i64", "f64", "si64"},
    {"arith.divsi %a0, %a1 : i8", "si8", "si8"},
    {"arith.divsi %a0, %a1 : i64", "si64", "si64"},
    {"arith.remsi %a0, %a1 : i32", "si32", "si32"},
    {"arith.divui %a0, %a1 : i16", "ui16", "ui16"},
    {"arith.remui %a0, %a1 : i64", "ui64", "ui64"},
    {"arith.muli %a0, %a1 : i16", "ui16", "ui16"},
    {"arith.muli %a0, %a1 : i64", "si64", "si64"},
    {"arith.subi %a0, %a1 : i8", "si8", "si8"},
    {"arith.shli %a0, %a1 : i8", "si8", "si8"},
    {"arith.shrsi %a0, %a1 : i16", "si16", "si16"},
    {"arith.shrui %a0, %a1 : i32", "ui32", "ui32"},
    {"arith.maxsi %a0, %a1 : i8", "si8", "si8"},
    {"arith.minui %a0, %a1 : i64", "ui64", "ui64"},
    {"arith.cmpi slt, %a0, %a1 : i32", "si32", "i1"},
    {"arith.cmpi ult, %a0, %a1 : i8", "ui8", "i1"},
    {"arith.extsi %a0 : i8 to i64", "si8", "si64"},
    {"arith.extui %a0 : i16 to i32", "ui16", "ui32"},
    {"arith.extui %a0 : i1 to i64", "i1", "si64"},
    {"arith.trunci %a0 : i64 to i16", "si64", "si16"},
    {"arith.sitofp %a0 : i64 to f32", "si64", "f32"},
    {"arith.uitofp %a0 : i64 to f64", "ui64", "f64"},
    {"arith.uitofp %a0 : i8 to f32", "ui8", "f32"},
    {"math.absi %a0 : i8", "si8", "si8"},
    {"math.ctpop %a0 : i16", "ui16", "ui16"},
    {"arith.xori %a0, %a1 : i1", "i1", "i1"},
    {"complex.mul %a0, %a1 : complex<f64>", "complex<f64>", "complex<f64>"},
    {"complex.neg %a0 : complex<f32>", "complex<f32>", "complex<f32>"},
    {"complex.conj %a0 : complex<f64>", "complex<f64>", "complex<f64>"},
    {"complex.eq %a0, %a1 : complex<f64>", "complex<f64>", "i1"},
};

template <typename T>
void Append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Elements of a type at which operations have their edges.
std::string Edges(DType dtype) {
  std::string bytes;
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> floats = {
      0.0,   -0.0,   1.0,    -1.0,         0.5,          1.5,
      -2.5,  255.5,  -129.0, 65537.0,      2147483647.5, -2147483648.5,
      4e9,   3e9,    -3e9,   9.2233720e18, 1.8446744e19, -1e19,
      1e300, 5e-324, inf,    -inf,         double{NAN},  1.1};
  if (dtype == DType::kBool) return std::string("\0\1\1\0", 4);
  for (size_t i = 0; i < floats.size(); ++i) {
    if (PartType(dtype) == DType::kFloat32) {
      Append(bytes, static_cast<float>(floats[i]));
    } else if (PartType(dtype) == DType::kFloat64) {
      Append(bytes, floats[i]);
    } else {
      const int bits = 8 * ItemSize(dtype);
      const uint64_t top = uint64_t{1} << (bits - 1);
      const uint64_t numbers[] = {
          0,  1,  2, 7, uint64_t(-1), top, top - 1, top + 1,
          63, 64, 8, 9, uint64_t(-3), 31,  32};
      const uint64_t number = numbers[i % std::size(numbers)];
      bytes.append(reinterpret_cast<const char*>(&number), ItemSize(dtype));
    }
  }
  return bytes;
}

std::string OneNan(std::string bytes, DType dtype) {
  const int size = ItemSize(PartType(dtype));
  for (size_t i = 0; i < bytes.size() && !IsInteger(dtype); i += size) {
    if (size == 4) {
      float x;
      memcpy(&x, &bytes[i], 4);
      if (x != x) bytes.replace(i, 4, "\0\0\xc0\x7f", 4);
    } else if (size == 8) {
      double x;
      memcpy(&x, &bytes[i], 8);
      if (x != x) bytes.replace(i, 8, "\0\0\0\0\0\0\xf8\x7f", 8);
    }
  }
  return bytes;
}

TEST(GpuScalarBody, EdgesAreTheProcessors) {
  std::vector<KernelText> texts;
  for (const Op& op : kOps) {
    const std::string out = KernelText::Signless(op.out);
    texts.push_back(
        {.in = {op.in, op.in, op.in},
         .out = {op.out},
         .inner = {1, 1, 1, 1},
         .body = absl::StrCat("%r = ", op.text, "\nfuseau.yield %r : ", out)});
  }
  for (const Twins& twin : MakeTwins(texts)) {
    auto module = ParseKernel(twin.text.str());
    const KernelSpec spec = *ReadKernel(KernelIn(*module));
    const DType in = spec.inputs[0].dtype, out = spec.outputs[0].dtype;
    const std::string edges = Edges(in);
    const int64_t item = ItemSize(in);
    std::string x, y, z;
    for (size_t i = 0; i < edges.size(); i += item) {
      for (size_t j = 0; j < edges.size(); j += item) {
        x += edges.substr(i, item);
        y += edges.substr(j, item);
        z += edges.substr((i + j) % edges.size(), item);
      }
    }
    const int64_t n = x.size() / item;
    std::string results[2];
    for (int device = 0; device < 2; ++device) {
      results[device].assign(n * ItemSize(out), '\0');
      const std::vector<int64_t> slots = {
          n,
          reinterpret_cast<int64_t>(x.data()),
          item,
          reinterpret_cast<int64_t>(y.data()),
          item,
          reinterpret_cast<int64_t>(z.data()),
          item,
          reinterpret_cast<int64_t>(results[device].data()),
          ItemSize(out)};
      if (device == 0)
        twin.cpu->fn(0, n, slots.data());
      else
        RunEmulated(twin, {n}, slots, 0);
      results[device] = OneNan(results[device], out);
    }
    const size_t at =
        std::mismatch(results[0].begin(), results[0].end(), results[1].begin())
            .first -
        results[0].begin();
    EXPECT_EQ(at, results[0].size())
        << twin.text.body << " differs at element " << at / ItemSize(out);
  }
}

TEST(GpuScalarBody, NumbersAreWrittenExactly) {
  mlir::Builder b(&TestContext());
  auto literal = [&](mlir::TypedAttr value) {
    return Literal(value.getType(), value);
  };
  EXPECT_EQ(literal(b.getF64FloatAttr(0.2)), "0.2");
  EXPECT_EQ(literal(b.getF64FloatAttr(3)), "3.0");
  EXPECT_EQ(literal(b.getF64FloatAttr(-1)), "(-1.0)");
  EXPECT_EQ(literal(b.getF64FloatAttr(-0.0)), "(-0.0)");
  EXPECT_EQ(literal(b.getF64FloatAttr(1.0 / 3)), "0.3333333333333333");
  EXPECT_EQ(literal(b.getF64FloatAttr(1e300)), "1e+300");
  EXPECT_EQ(literal(b.getF64FloatAttr(INFINITY)),
            "BitCast<double>(0x7ff0000000000000ull)");
  EXPECT_EQ(literal(b.getF32FloatAttr(0.1f)), "0.1f");
  EXPECT_EQ(literal(b.getIntegerAttr(b.getI8Type(), -1)), "u8(255)");
  EXPECT_EQ(literal(b.getIntegerAttr(b.getI32Type(), 7)), "7u");
  EXPECT_EQ(literal(b.getIntegerAttr(b.getI64Type(), -1)),
            "18446744073709551615ull");
  EXPECT_EQ(literal(b.getIntegerAttr(b.getI1Type(), 1)), "true");
}

// The source of a kernel, whole: a reader of a change sees what it does to it.
TEST(GpuScalarBody, SourceOfAMap) {
  const GpuSource source =
      EmitText(KernelText{.in = {"f64", "si32"},
                          .scalars = {"f64"},
                          .out = {"f64"},
                          .inner = {1, 2, 1},
                          .body = "%k = arith.constant 2.0e-01 : f64\n"
                                  "%i = arith.sitofp %a1 : i32 to f64\n"
                                  "%p = arith.mulf %a0, %k : f64\n"
                                  "%q = arith.addf %p, %i : f64\n"
                                  "%r = arith.divf %q, %a2 : f64\n"
                                  "fuseau.yield %r : f64"}
                   .str());
  const std::string expected = R"(struct Kernel {
  static constexpr int kRank = 1;
  static constexpr int kLanes = 2;

  Operand<double, kContiguous, 1, 1> x0;
  Operand<u32, kStrided, 1, 3> x1;
  Operand<double, kContiguous, 1, 5> y0;
  double s0;

  template <class Args>
  FUSEAU_METHOD explicit Kernel(const Args& args)
      : x0(args), x1(args), y0(args), s0(Scalar<double>(args, 7)) {}
  template <class Args>
  FUSEAU_METHOD void Move(const Args& args, int d, i64 index) {
    x0.Move(args, d, index);
    x1.Move(args, d, index);
    y0.Move(args, d, index);
  }

  FUSEAU_METHOD static void Body(double x0, u32 x1, double s0, double& y0) {
    const double v0 = double(Signed(x1));
    const double v1 = x0 * 0.2;
    const double v2 = v1 + v0;
    const double v3 = v2 / s0;
    y0 = v3;
  }
  template <int n>
  FUSEAU_METHOD void Run(i64 i) const {
    double in0[n];
    x0.Load(i, in0);
    u32 in1[n];
    x1.Load(i, in1);
    double out0[n];
#pragma unroll
    for (int k = 0; k < n; ++k) Body(in0[k], in1[k], s0, out0[k]);
    y0.Store(i, out0);
  }
  template <class Args>
  FUSEAU_METHOD static bool IsRagged(const Args& args) {
    return decltype(y0)::template IsRagged<kLanes>(args);
  }
  FUSEAU_METHOD int Lead() const { return y0.template Lead<kLanes>(); }
};
)";
  EXPECT_EQ(source.slots, 10);
  EXPECT_EQ(source.code,
            absl::StrCat(
                "namespace fuseau::in_", source.name, " {\n\n", expected,
                "\nextern \"C\" __global__ void __launch_bounds__(kThreads)\n",
                source.name,
                "(const __grid_constant__ Slots<10> args) {\n"
                "  Map<Kernel>(args);\n}\n\n}  // namespace fuseau::in_",
                source.name, "\n"));
  EXPECT_EQ(source.name.substr(0, 16), "sitofp_mul_add_d");
}

}  // namespace
}  // namespace fuseau::codegen::gpu
