// Loops of NumPy that have a function of the prelude in their place, and say
// that it is exact, give NumPy's bits.

#include "codegen/gpu/functions.h"

#include <cmath>
#include <complex>
#include <limits>

#include "codegen/gpu/kernel_test_util.h"

namespace fuseau::codegen::gpu {
namespace {

struct Digest {
  const char* loop;
  uint64_t digest;
};

// Digests (FNV-1a) of what NumPy 2.4.6 gives for all pairs of the values below,
// with one form of NaN.
constexpr Digest kDigests[] = {
    {"floor_divide.dd->d", 0xaeffa14fbe87c5e3ull},
    {"floor_divide.ff->f", 0x93b93d4f8903e353ull},
    {"floor_divide.ll->l", 0xfec72b2264b74740ull},
    {"floor_divide.LL->L", 0x8f5868cb3a4d8a6aull},
    {"floor_divide.bb->b", 0x88f1279471837ec1ull},
    {"remainder.dd->d", 0xaa27584707e9604bull},
    {"remainder.ff->f", 0xf6bcae7734dfe526ull},
    {"remainder.ll->l", 0xc4ab60cb73cc761aull},
    {"remainder.LL->L", 0xf5498477f3197cd7ull},
    {"remainder.bb->b", 0xd482a2290404d2beull},
    {"fmod.dd->d", 0x0ca076210fd9a0a8ull},
    {"fmod.ll->l", 0xe293871f185242b4ull},
    {"fmod.bb->b", 0x27af89555d086c50ull},
    {"gcd.ll->l", 0x4c4984defed0c68bull},
    {"gcd.LL->L", 0xddfa1959dd1bbdf0ull},
    {"gcd.bb->b", 0xa52c06bb79348cfaull},
    {"lcm.ll->l", 0x882b7eee2c27e293ull},
    {"lcm.LL->L", 0x6ce7f5f1ad376db8ull},
    {"lcm.bb->b", 0xabf7fdf56f0e1f58ull},
    {"left_shift.ll->l", 0x33fe92892b33b89eull},
    {"left_shift.LL->L", 0x33fe92892b33b89eull},
    {"left_shift.bb->b", 0x272dadf3901bb818ull},
    {"right_shift.ll->l", 0x8468800725a3b04full},
    {"right_shift.LL->L", 0x0cf681bda5d3f57bull},
    {"right_shift.bb->b", 0x677e9213f409ee63ull},
    {"bitwise_count.l->B", 0x277a4f18e67f81b3ull},
    {"bitwise_count.L->B", 0xff64235946b2852full},
    {"bitwise_count.b->B", 0xad26f316d2542d1aull},
    {"heaviside.dd->d", 0xaf71fb02190be329ull},
    {"nextafter.dd->d", 0xc735f5cd596a17b3ull},
    {"nextafter.ff->f", 0xb7643a987bef03e9ull},
    {"spacing.d->d", 0x8fff47e048bb1289ull},
    {"spacing.f->f", 0x3df177986c4aea3aull},
    {"ldexp.dl->d", 0x6e5a4e98e3667818ull},
    {"ldexp.fl->f", 0x92cbaa49deeb20dcull},
    {"fmax.dd->d", 0x28983c6778fa7fc7ull},
    {"fmin.dd->d", 0xcc9ebd2e2bd7479bull},
    {"divide.DD->D", 0xcf84cb605ec92d89ull},
    {"maximum.DD->D", 0x0281af245715e0f1ull},
    {"minimum.DD->D", 0xf30791c7403d71f1ull},
    {"less.DD->?", 0x0949b641c26b1655ull},
    {"less_equal.DD->?", 0xcb1d0ee6c5e286e5ull},
    {"greater.DD->?", 0x11cbf96df2316f95ull},
    {"greater_equal.DD->?", 0x1b1acd2de90e4c15ull},
    {"equal.lL->?", 0x256ac2d7811f61c3ull},
    {"equal.Ll->?", 0x256ac2d7811f61c3ull},
    {"not_equal.lL->?", 0x3df0825f2580f337ull},
    {"less.lL->?", 0xa8075e4e6c679b98ull},
    {"less_equal.lL->?", 0xb342d37f257451d6ull},
    {"greater.lL->?", 0x420841510dbd2f32ull},
    {"greater_equal.lL->?", 0xb628fb723e5fc164ull},
    {"less.Ll->?", 0x09832d0d804eab08ull},
    {"less_equal.Ll->?", 0xd70caf32d37369f6ull},
    {"greater.Ll->?", 0xd0f2e2bb49c1a8a2ull},
    {"greater_equal.Ll->?", 0xbee485bda5835c04ull},
};

template <typename F>
std::vector<F> Floats() {
  const bool wide = sizeof(F) == 8;
  const F inf = std::numeric_limits<F>::infinity();
  return {F(0.0),
          F(-0.0),
          F(1),
          F(-1),
          F(0.5),
          F(-2.5),
          F(3),
          F(-7),
          F(wide ? 1e300 : 1e30),
          F(wide ? -1e-300 : -1e-30),
          std::numeric_limits<F>::denorm_min(),
          inf,
          -inf,
          std::numeric_limits<F>::quiet_NaN()};
}

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()),
                     values.size() * sizeof(T));
}

// The bytes of the values of a type, by NumPy's character.
std::string Values(char type) {
  switch (type) {
    case 'd':
      return Bytes(Floats<double>());
    case 'f':
      return Bytes(Floats<float>());
    case 'b':
      return Bytes(std::vector<int8_t>{0, 1, -1, 2, -3, 7, 12, -18, 8, 9, 100,
                                       127, -127, -128});
    case 'l':
    case 'L':
      return Bytes(std::vector<int64_t>{0, 1, -1, 2, -3, 7, 12, -18, 63, 64, 65,
                                        int64_t{1} << 62, INT64_MAX,
                                        INT64_MIN});
    case 'D': {
      std::vector<std::complex<double>> values;
      for (double re : {0.0, -1.0, 2.5, double{INFINITY}, double{NAN}})
        for (double im : {0.0, 1.0, -3.0, double{NAN}})
          values.emplace_back(re, im);
      return Bytes(values);
    }
  }
  FUSEAU_CHECK(false);
}

struct Type {
  const char* name;
  size_t bytes;
};
Type TypeOf(char type) {
  switch (type) {
    case 'd':
      return {"f64", 8};
    case 'f':
      return {"f32", 4};
    case 'l':
      return {"si64", 8};
    case 'L':
      return {"ui64", 8};
    case 'b':
      return {"si8", 1};
    case 'B':
      return {"ui8", 1};
    case '?':
      return {"i1", 1};
    case 'D':
      return {"complex<f64>", 16};
  }
  FUSEAU_CHECK(false);
}

std::string OneNan(std::string bytes, char type) {
  if (type == 'f') {
    for (size_t i = 0; i < bytes.size(); i += 4) {
      float x;
      memcpy(&x, &bytes[i], 4);
      const uint32_t nan = 0x7fc00000u;
      if (x != x) memcpy(&bytes[i], &nan, 4);
    }
  } else if (type == 'd' || type == 'D') {
    for (size_t i = 0; i < bytes.size(); i += 8) {
      double x;
      memcpy(&x, &bytes[i], 8);
      const uint64_t nan = uint64_t{0x7ff8} << 48;
      if (x != x) memcpy(&bytes[i], &nan, 8);
    }
  }
  return bytes;
}

uint64_t DigestOf(const std::string& bytes) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char b : bytes) hash = (hash ^ b) * 0x100000001b3ull;
  return hash;
}

GpuSource SourceOf(const std::string& loop) {
  const size_t dot = loop.find('.'), arrow = loop.find("->");
  KernelText text;
  std::vector<std::string> names, types;
  for (size_t i = dot + 1; i < arrow; ++i) {
    text.in.push_back(TypeOf(loop[i]).name);
    text.inner.push_back(1);
    types.push_back(KernelText::Signless(text.in.back()));
    names.push_back(absl::StrCat("%a", names.size()));
  }
  text.out = {TypeOf(loop.back()).name};
  text.inner.push_back(1);
  const std::string result = KernelText::Signless(text.out[0]);
  text.body = absl::StrCat("%r = fuseau.call \"", loop, "\"(",
                           absl::StrJoin(names, ", "), ") : (",
                           absl::StrJoin(types, ", "), ") -> ", result,
                           "\nfuseau.yield %r : ", result);
  return EmitText(text.str());
}

TEST(GpuFunctions, ExactOnesGiveNumPysBits) {
  std::vector<GpuSource> sources;
  for (const Digest& row : kDigests) sources.push_back(SourceOf(row.loop));
  auto image = CompileForEmulation(
      sources, {.compiler = "", .sanitize = FUSEAU_TEST_SANITIZE});
  ASSERT_TRUE(image.ok()) << image.status();
  void* handle = LoadImage(*image);
  for (size_t k = 0; k < sources.size(); ++k) {
    const std::string loop = kDigests[k].loop;
    const DeviceFunction* function = FindDeviceFunction(loop);
    ASSERT_NE(function, nullptr) << loop;
    EXPECT_EQ(function->ulp64, 0) << loop;
    Twins twin;
    twin.source = sources[k];
    twin.gpu = reinterpret_cast<runtime::cuda::EmulatedLaunchFn>(dlsym(
        handle,
        absl::StrCat(sources[k].name, runtime::cuda::kEmulatedLaunchSuffix)
            .c_str()));
    ASSERT_NE(twin.gpu, nullptr);
    const size_t dot = loop.find('.'), arrow = loop.find("->");
    const bool binary = arrow - dot == 3;
    const Type first = TypeOf(loop[dot + 1]);
    const std::string a = Values(loop[dot + 1]);
    const std::string b = binary ? Values(loop[dot + 2]) : std::string();
    const Type second = binary ? TypeOf(loop[dot + 2]) : Type{"", 1};
    std::string x, y;
    for (size_t i = 0; i < a.size(); i += first.bytes) {
      for (size_t j = 0; j < std::max<size_t>(1, b.size()); j += second.bytes) {
        x += a.substr(i, first.bytes);
        if (binary) y += b.substr(j, second.bytes);
      }
    }
    const int64_t n = x.size() / first.bytes;
    const Type out = TypeOf(loop.back());
    std::string result(n * out.bytes, '\0');
    auto slot = [](std::string& bytes) {
      return reinterpret_cast<int64_t>(bytes.data());
    };
    std::vector<int64_t> slots = {n, slot(x),
                                  static_cast<int64_t>(first.bytes)};
    if (binary)
      slots.insert(slots.end(), {slot(y), static_cast<int64_t>(second.bytes)});
    slots.insert(slots.end(), {slot(result), static_cast<int64_t>(out.bytes)});
    RunEmulated(twin, {n}, slots, 0);
    EXPECT_EQ(DigestOf(OneNan(result, loop.back())), kDigests[k].digest)
        << loop;
  }
}

TEST(GpuFunctions, TypesDecide) {
  ASSERT_NE(FindDeviceFunction("exp.f->f"), nullptr);
  EXPECT_GT(FindDeviceFunction("exp.f->f")->ulp32, 0);
  EXPECT_EQ(FindDeviceFunction("exp.D->D"), nullptr);
  EXPECT_EQ(FindDeviceFunction("power.ll->l"), nullptr);
  EXPECT_EQ(FindDeviceFunction("less.ll->?"), nullptr);
  EXPECT_NE(FindDeviceFunction("less.lL->?"), nullptr);
  EXPECT_EQ(FindDeviceFunction("nonsense"), nullptr);
}

}  // namespace
}  // namespace fuseau::codegen::gpu
