// Prints how long kernels take to compile and to run.

#include <chrono>
#include <cmath>
#include <cstdio>

#include "codegen/cpu/kernel_test_util.h"
#include "runtime/inner_loops.h"

namespace fuseau::codegen {
namespace {

double Now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

// Milliseconds of the fastest of some calls.
template <typename F>
double Best(int repeats, F&& f) {
  double best = 1e9;
  for (int i = 0; i < repeats; ++i) {
    const double start = Now();
    f();
    best = std::min(best, Now() - start);
  }
  return 1e3 * best;
}

KernelText Chain() {
  return {.in = {"f64", "f64", "f64"},
          .scalars = {"f64"},
          .out = {"f64"},
          .inner = {1, 1, 1, 1},
          .body = R"(
    %two = arith.constant 2.0 : f64
    %three = arith.constant 3.0 : f64
    %quarter = arith.constant 0.25 : f64
    %0 = arith.mulf %a0, %two : f64
    %1 = arith.mulf %a1, %three : f64
    %2 = arith.addf %0, %1 : f64
    %3 = arith.subf %2, %a2 : f64
    %4 = arith.addf %3, %a3 : f64
    %5 = arith.mulf %4, %quarter : f64
    %6 = arith.mulf %5, %a0 : f64
    %7 = arith.addf %6, %a1 : f64
    %8 = math.absf %7 : f64
    %9 = arith.subf %8, %a2 : f64
    fuseau.yield %9 : f64)"};
}

KernelText Stencil() {
  return {.rank = 2,
          .in = {"f64", "f64", "f64", "f64", "f64"},
          .out = {"f64"},
          .inner = {1, 1, 1, 1, 1, 1},
          .body = R"(
    %fifth = arith.constant 0.2 : f64
    %0 = arith.addf %a0, %a1 : f64
    %1 = arith.addf %0, %a2 : f64
    %2 = arith.addf %1, %a3 : f64
    %3 = arith.addf %2, %a4 : f64
    %4 = arith.mulf %3, %fifth : f64
    fuseau.yield %4 : f64)"};
}

// The shape of a Black-Scholes formula: two logarithms and exponentials in two
// levels of calls.
KernelText BlackScholes() {
  return {.in = {"f64", "f64", "f64"},
          .scalars = {"f64", "f64"},
          .out = {"f64", "f64"},
          .inner = {1, 1, 1, 1, 1},
          .body = R"(
    %half = arith.constant 0.5 : f64
    %one = arith.constant 1.0 : f64
    %q = arith.divf %a0, %a1 : f64
    %l = fuseau.call "log.d->d"(%q) : (f64) -> f64
    %v2 = arith.mulf %a4, %a4 : f64
    %hv = arith.mulf %v2, %half : f64
    %rv = arith.addf %a3, %hv : f64
    %rt = arith.mulf %rv, %a2 : f64
    %num = arith.addf %l, %rt : f64
    %st = math.sqrt %a2 : f64
    %den = arith.mulf %st, %a4 : f64
    %d1 = arith.divf %num, %den : f64
    %d2 = arith.subf %d1, %den : f64
    %n1 = fuseau.call "erf.d->d"(%d1) : (f64) -> f64
    %n2 = fuseau.call "erf.d->d"(%d2) : (f64) -> f64
    %nr = arith.negf %a3 : f64
    %e0 = arith.mulf %nr, %a2 : f64
    %e = fuseau.call "exp.d->d"(%e0) : (f64) -> f64
    %h1 = arith.mulf %n1, %half : f64
    %c1 = arith.addf %h1, %half : f64
    %h2 = arith.mulf %n2, %half : f64
    %c2 = arith.addf %h2, %half : f64
    %k = arith.mulf %a1, %e : f64
    %x1 = arith.mulf %a0, %c1 : f64
    %x2 = arith.mulf %k, %c2 : f64
    %call = arith.subf %x1, %x2 : f64
    %y = arith.subf %call, %a0 : f64
    %put = arith.addf %y, %k : f64
    fuseau.yield %call, %put : f64, f64)"};
}

KernelText SumOfSquares() {
  return {.in = {"f64", "f64"},
          .out = {"f64"},
          .inner = {1, 1, 0},
          .body = R"(
    %d = arith.subf %a0, %a1 : f64
    %s = arith.mulf %d, %d : f64
    fuseau.yield %s : f64)",
          .reduction = "inner",
          .combiners = {"sum"}};
}

template <double (*f)(double)>
void Loop(char** args, const int64_t* n, const int64_t* steps, void*) {
  for (int64_t i = 0; i < *n; ++i)
    *reinterpret_cast<double*>(args[1] + i * steps[1]) =
        f(*reinterpret_cast<double*>(args[0] + i * steps[0]));
}

void PrintLatency(const char* name, const KernelText& text,
                  const Target& target) {
  auto module = ParseKernel(text.str());
  ir::exec::KernelOp op = KernelIn(*module);
  for (OptLevel level : {OptLevel::kO0, OptLevel::kO1}) {
    std::string object;
    const double emit = Best(50, [&] {
      llvm::LLVMContext context;
      EmitKernel(op, target, context).value();
    });
    const double both = Best(30, [&] {
      llvm::LLVMContext context;
      auto made = EmitKernel(op, target, context).value();
      object = CompileObject(*made, level).value();
    });
    const double load =
        Best(50, [&] { LoadObject(object, name).value().reset(); });
    std::printf(
        "%-14s O%d  emit %.3f  generate %.2f  load %.3f  all %.2f ms"
        "  object %zu bytes\n",
        name, level == OptLevel::kO1, emit, both - emit, load, both + load,
        object.size());
  }
}

__attribute__((noinline)) void ChainInCpp(const double* __restrict x,
                                          const double* __restrict y,
                                          const double* __restrict z, double s,
                                          double* __restrict out, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    out[i] =
        std::abs((x[i] * 2 + y[i] * 3 - z[i] + s) * 0.25 * x[i] + y[i]) - z[i];
}

__attribute__((noinline)) void StencilInCpp(const double* __restrict a,
                                            double* __restrict out, int64_t n) {
  for (int64_t i = 1; i + 1 < n; ++i)
    for (int64_t j = 1; j + 1 < n; ++j)
      out[i * n + j] = (a[i * n + j] + a[(i - 1) * n + j] + a[(i + 1) * n + j] +
                        a[i * n + j - 1] + a[i * n + j + 1]) *
                       0.2;
}

// Doubles from an address with the given distance to a cache line.
class Doubles {
 public:
  explicit Doubles(int64_t n, int64_t offset = 0, double value = 1.5)
      : memory_(n + 16, value) {
    const auto address = reinterpret_cast<uintptr_t>(memory_.data());
    data_ = memory_.data() + (64 - address % 64) % 64 / 8 + offset;
  }
  double* data() { return data_; }

 private:
  std::vector<double> memory_;
  double* data_;
};

template <typename Run>
double Microseconds(Run&& run) {
  return 1e3 * Best(1000, run);
}

void PrintThroughput(const Target& target) {
  constexpr int64_t kN = 16384, kGrid = 200;
  Doubles x(kN), y(kN), z(kN), out(kN), put(kN), wide(2 * kN);
  Doubles grid(kGrid * kGrid), next(kGrid * kGrid);
  std::printf(
      "C++: chain %.2f us, stencil %.2f us\n", Microseconds([&] {
        ChainInCpp(x.data(), y.data(), z.data(), 1.5, out.data(), kN);
      }),
      Microseconds([&] { StencilInCpp(grid.data(), next.data(), kGrid); }));
  for (OptLevel level : {OptLevel::kO0, OptLevel::kO1}) {
    auto compile = [&](const KernelText& text) {
      return CompileText(text.str(), target, level).value();
    };
    std::printf("O%d:", level == OptLevel::kO1);
    auto measure = [](const char* name, const runtime::Kernel& kernel,
                      Arguments& arguments) {
      std::printf(" %s %.2f us,", name,
                  Microseconds([&] { arguments.Run(kernel); }));
    };
    auto chain = compile(Chain());
    Arguments chain_args({kN});
    chain_args.Operand(x.data(), {8})
        .Operand(y.data(), {8})
        .Operand(z.data(), {8})
        .Operand(out.data(), {8})
        .Scalar(1.5);
    measure("chain", *chain, chain_args);
    Doubles x1(kN, 1), y1(kN, 1), z1(kN, 1), out1(kN, 1);
    Arguments shifted({kN});
    shifted.Operand(x1.data(), {8})
        .Operand(y1.data(), {8})
        .Operand(z1.data(), {8})
        .Operand(out1.data(), {8})
        .Scalar(1.5);
    measure("chain off alignment", *chain, shifted);

    auto stencil = compile(Stencil());
    Arguments stencil_args({kGrid - 2, kGrid - 2});
    const double* g = grid.data() + kGrid + 1;
    for (const double* p : {g, g - kGrid, g + kGrid, g - 1, g + 1})
      stencil_args.Operand(p, {8 * kGrid, 8});
    stencil_args.Operand(next.data() + kGrid + 1, {8 * kGrid, 8});
    measure("stencil", *stencil, stencil_args);

    double total = 0;
    auto sum = compile(SumOfSquares());
    Arguments sum_args({kN});
    sum_args.Operand(x.data(), {8}).Operand(y.data(), {8}).Operand(&total, {0});
    measure("sum of squares", *sum, sum_args);

    KernelText strided = Chain();
    strided.inner = {2, 1, 1, 1};
    auto gather = compile(strided);
    Arguments gather_args({kN});
    gather_args.Operand(wide.data(), {16})
        .Operand(y.data(), {8})
        .Operand(z.data(), {8})
        .Operand(out.data(), {8})
        .Scalar(1.5);
    measure("chain with x[::2]", *gather, gather_args);
    strided.inner = {1, 1, 1, 2};
    auto scatter = compile(strided);
    Arguments scatter_args({kN});
    scatter_args.Operand(x.data(), {8})
        .Operand(y.data(), {8})
        .Operand(z.data(), {8})
        .Operand(wide.data(), {16})
        .Scalar(1.5);
    measure("chain to x[::2]", *scatter, scatter_args);

    KernelText rows = Stencil();
    rows.inner = {1, 0, 0, 1, 1, 1};
    auto narrow = compile(rows);
    Arguments narrow_args({kN / 4, 3});
    narrow_args.Operand(x.data(), {32, 8})
        .Operand(y.data(), {8, 0})
        .Operand(z.data(), {8, 0})
        .Operand(x.data(), {32, 8})
        .Operand(y.data(), {32, 8})
        .Operand(out.data(), {32, 8});
    measure("4096 rows of 3", *narrow, narrow_args);

    auto scholes = compile(BlackScholes());
    Arguments scholes_args({kN});
    scholes_args.Operand(x.data(), {8})
        .Operand(y.data(), {8})
        .Operand(z.data(), {8})
        .Operand(out.data(), {8})
        .Operand(put.data(), {8})
        .Scalar(0.02)
        .Scalar(0.3);
    measure("Black-Scholes with libm", *scholes, scholes_args);
    std::printf("\n");
  }
}

void Main() {
  runtime::RegisterInnerLoop("log.d->d", {Loop<std::log>, nullptr});
  runtime::RegisterInnerLoop("exp.d->d", {Loop<std::exp>, nullptr});
  runtime::RegisterInnerLoop("erf.d->d", {Loop<std::erf>, nullptr});
  const Target& target = ProcessTarget();
  const double warm = Now();
  WarmUpCompiler(target);
  const double start = Now();
  std::printf("warm-up %.1f ms\n", 1e3 * (start - warm));
  CompileText(Chain().str(), target).value();
  std::printf("%s: first compile after that %.1f ms\n", target.cpu.c_str(),
              1e3 * (Now() - start));
  PrintLatency("chain", Chain(), target);
  PrintLatency("stencil", Stencil(), target);
  PrintLatency("black_scholes", BlackScholes(), target);
  PrintLatency("sum_of_squares", SumOfSquares(), target);
  PrintThroughput(target);
}

}  // namespace
}  // namespace fuseau::codegen

int main() { fuseau::codegen::Main(); }
