// What NVIDIA's compiler makes of the kernels, for every architecture that
// matters. Needs no device. Skipped, with the reason, where the compiler is not
// installed (tools/setup --cuda).

#include "codegen/gpu/nvrtc.h"

#include <glob.h>

#include <ctime>

#include "codegen/gpu/functions.h"
#include "codegen/gpu/kernel_test_util.h"

namespace fuseau::codegen::gpu {
namespace {

constexpr int kArchitectures[] = {75, 80, 90, 100, 120};

struct Case {
  const char* name;
  KernelText text;
  int registers;  // at most
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  cases.push_back({"chain f64",
                   {.in = {"f64", "f64"},
                    .scalars = {"f64"},
                    .out = {"f64"},
                    .inner = {1, 1, 1},
                    .body = "%p = arith.mulf %a0, %a2 : f64\n"
                            "%q = arith.addf %p, %a1 : f64\n"
                            "fuseau.yield %q : f64"},
                   40});
  cases.push_back({"chain f32",
                   {.in = {"f32", "f32"},
                    .out = {"f32"},
                    .inner = {1, 1, 1},
                    .body = "%p = arith.mulf %a0, %a1 : f32\n"
                            "fuseau.yield %p : f32"},
                   40});
  cases.push_back({"stencil f64",
                   {.rank = 2,
                    .in = {"f64", "f64", "f64", "f64", "f64"},
                    .out = {"f64"},
                    .inner = {1, 1, 1, 1, 1, 1},
                    .body = "%k = arith.constant 2.0e-01 : f64\n"
                            "%s0 = arith.addf %a0, %a1 : f64\n"
                            "%s1 = arith.addf %s0, %a2 : f64\n"
                            "%s2 = arith.addf %s1, %a3 : f64\n"
                            "%s3 = arith.addf %s2, %a4 : f64\n"
                            "%r = arith.mulf %k, %s3 : f64\n"
                            "fuseau.yield %r : f64"},
                   64});
  cases.push_back(
      {"functions f64",
       {.in = {"f64"},
        .out = {"f64"},
        .inner = {1, 1},
        .body = "%e = fuseau.call \"exp.d->d\"(%a0) : (f64) -> f64\n"
                "%l = fuseau.call \"log.d->d\"(%e) : (f64) -> f64\n"
                "%s = math.sqrt %l : f64\n"
                "%d = arith.divf %s, %a0 : f64\n"
                "fuseau.yield %d : f64"},
       96});
  auto join = [](std::string type, std::string combiner, int rank,
                 std::string reduction, int64_t reduced) {
    const std::string body_type = KernelText::Signless(type);
    return KernelText{.rank = rank,
                      .in = {type},
                      .out = {type},
                      .inner = {1, reduction == "outer" ? 1 : 0},
                      .body = "fuseau.yield %a0 : " + body_type,
                      .reduction = reduction,
                      .combiners = {combiner},
                      .reduced = reduced};
  };
  cases.push_back({"sum f64", join("f64", "sum", 1, "inner", 1), 64});
  cases.push_back({"row sum f32", join("f32", "sum", 2, "inner", 2), 64});
  cases.push_back(
      {"sum complex", join("complex<f64>", "sum", 1, "inner", 1), 72});
  cases.push_back({"row max i16", join("si16", "max", 2, "inner", 2), 64});
  cases.push_back({"product f64", join("f64", "prod", 1, "inner", 1), 64});
  cases.push_back({"column sum f64", join("f64", "sum", 2, "outer", 1), 64});
  cases.push_back(
      {"sum on top", join("f64", "sum", 3, "inner_accumulate", 5), 72});
  return cases;
}

// The installed compiler, for the tests of the build folder.
void FindNvrtc() {
  glob_t found;
  if (getenv("FUSEAU_NVRTC") == nullptr &&
      glob(FUSEAU_PYTHON_SITE "/nvidia/cu*/lib/libnvrtc.so.*", 0, nullptr,
           &found) == 0)
    setenv("FUSEAU_NVRTC", found.gl_pathv[0], 0);
}

int NumberBefore(const std::string& text, const std::string& words) {
  const size_t at = text.find(words);
  if (at == std::string::npos) return -1;
  size_t start = at;
  while (start > 0 && isdigit(text[start - 1])) --start;
  return start == at ? -1 : std::stoi(text.substr(start, at - start));
}

class Nvrtc : public testing::Test {
 protected:
  void SetUp() override {
    FindNvrtc();
    if (const absl::Status status = NvrtcStatus(); !status.ok())
      GTEST_SKIP() << status.message();
  }
};

TEST_F(Nvrtc, NoSpillsFewRegistersWideAccesses) {
  for (const Case& test : Cases()) {
    const GpuSource source = EmitText(test.text.str());
    for (int arch : kArchitectures) {
      SCOPED_TRACE(absl::StrCat(test.name, " for sm_", arch));
      const clock_t start = clock();
      auto output = CompileWithNvrtc(source.name, source.code, arch, true);
      ASSERT_TRUE(output.ok()) << output.status().message();
      const double ms = 1e3 * (clock() - start) / CLOCKS_PER_SEC;
      const std::string& log = output->log;
      const int registers = NumberBefore(log, " registers");
      printf("%-16s sm_%-3d %4.0f ms  %3d registers  %zu bytes\n", test.name,
             arch, ms, registers, output->image.size());
      EXPECT_EQ(NumberBefore(log, " bytes stack frame"), 0) << log;
      EXPECT_EQ(NumberBefore(log, " bytes spill stores"), 0) << log;
      EXPECT_EQ(NumberBefore(log, " bytes spill loads"), 0) << log;
      EXPECT_GT(registers, 0) << log;
      EXPECT_LE(registers, test.registers) << log;
      EXPECT_EQ(output->image.substr(1, 3), "ELF");
      // Products and sums stay apart; memory is known to be the device's.
      EXPECT_EQ(output->ptx.find("fma.rn.f64 \t%fd1, %fd1"), std::string::npos);
      EXPECT_EQ(output->ptx.find("ld.v2"), std::string::npos);
      if (std::string(test.name) == "chain f64") {
        EXPECT_NE(output->ptx.find("ld.global.v2"), std::string::npos);
        EXPECT_NE(output->ptx.find("st.global.v2"), std::string::npos);
        EXPECT_EQ(output->ptx.find("fma."), std::string::npos);
      }
      if (std::string(test.name) == "chain f32")
        EXPECT_NE(output->ptx.find("ld.global.v4"), std::string::npos);
    }
  }
}

// All functions of the table that take this class of numbers, in one kernel.
KernelText AllFunctions(char cls, char code, const std::string& type) {
  const std::string body_type = KernelText::Signless(type);
  KernelText text{
      .in = {type, type, "si64"}, .out = {}, .inner = {1, 1, 1}, .body = ""};
  std::vector<std::string> results, types;
  for (const DeviceFunction& row : DeviceFunctions()) {
    const absl::string_view ufunc = row.ufunc, form = row.form;
    if (absl::string_view(row.inputs) != absl::string_view(&cls, 1)) continue;
    const bool binary = form.find("$1") != absl::string_view::npos;
    const bool compares = ufunc.find("less") != absl::string_view::npos ||
                          ufunc.find("greater") != absl::string_view::npos;
    std::string out = type, out_code(1, code);
    if (compares) out = "i1", out_code = "?";
    if (ufunc == "bitwise_count") out = "ui8", out_code = "B";
    if (ufunc == "absolute") out = "f64", out_code = "d";
    const std::string result = absl::StrCat("%r", results.size());
    const bool exponent = ufunc == "ldexp";
    absl::StrAppend(&text.body, result, " = fuseau.call \"", row.ufunc, ".",
                    std::string(1, code),
                    exponent ? "l" : std::string(binary ? 1 : 0, code), "->",
                    out_code, "\"(%a0",
                    exponent ? ", %a2"
                    : binary ? ", %a1"
                             : "",
                    ") : (", body_type,
                    exponent ? ", i64"
                    : binary ? absl::StrCat(", ", body_type)
                             : "",
                    ") -> ", KernelText::Signless(out), "\n");
    results.push_back(result);
    types.push_back(KernelText::Signless(out));
    text.out.push_back(out);
    text.inner.push_back(1);
  }
  absl::StrAppend(&text.body, "fuseau.yield ", absl::StrJoin(results, ", "),
                  " : ", absl::StrJoin(types, ", "));
  return text;
}

TEST_F(Nvrtc, KnowsEveryFunction) {
  for (const KernelText& text :
       {AllFunctions('f', 'd', "f64"), AllFunctions('f', 'f', "f32"),
        AllFunctions('i', 'l', "si64"), AllFunctions('i', 'b', "si8"),
        AllFunctions('u', 'I', "ui32"),
        AllFunctions('c', 'D', "complex<f64>")}) {
    const GpuSource source = EmitText(text.str());
    const auto output = CompileWithNvrtc(source.name, source.code, 90);
    EXPECT_TRUE(output.ok()) << text.in[0] << ": " << output.status().message();
  }
}

TEST_F(Nvrtc, SaysWhatIsWrong) {
  const absl::Status status =
      CompileWithNvrtc("broken", "int x = ;", 90).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("broken.cu(2): error"), std::string::npos)
      << status.message();
}

}  // namespace
}  // namespace fuseau::codegen::gpu
