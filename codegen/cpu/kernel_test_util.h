// What the tests of compiled kernels share: kernels from text, buffers that end
// at an unmapped page, and calls of kernels.
#pragma once

#include <sys/mman.h>

#include <complex>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/cpu/emitter.h"
#include "codegen/cpu/jit.h"
#include "codegen/cpu/target.h"
#include "ir/dialect.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "mlir/Parser/Parser.h"
#include "runtime/base/status.h"
#include "runtime/plan.h"

namespace fuseau::codegen {

inline std::unique_ptr<mlir::MLIRContext> MakeContext() {
  mlir::DialectRegistry registry;
  registry.insert<ir::FuseauDialect, ir::exec::ExecDialect,
                  mlir::arith::ArithDialect, mlir::math::MathDialect,
                  mlir::complex::ComplexDialect>();
  auto made = std::make_unique<mlir::MLIRContext>(
      registry, mlir::MLIRContext::Threading::DISABLED);
  made->loadAllAvailableDialects();
  return made;
}

// For use by one thread.
inline mlir::MLIRContext& TestContext() {
  static auto* context = MakeContext().release();
  return *context;
}

// The parts of a kernel's text. Types are MLIR's, integers with their sign.
struct KernelText {
  int rank = 1;
  std::vector<std::string> in;  // memory and iotas
  std::vector<std::string> scalars = {};
  std::vector<std::string> out;
  std::vector<int> inner;
  std::string body;  // arguments are %a0, %a1, ...
  std::string reduction = "none";
  std::vector<std::string> combiners = {};
  int iotas = 0;
  int rows = 1;
  bool turned = false;
  int streamed = 0;
  int64_t reduced = 0;

  static std::string Signless(std::string type) {
    return type.size() > 2 && (type[0] == 's' || type[0] == 'u')
               ? type.substr(1)
               : type;
  }
  std::string str() const {
    std::vector<std::string> types = in, arguments, joined = combiners;
    types.insert(types.end(), scalars.begin(), scalars.end());
    for (size_t i = 0; i < types.size(); ++i)
      arguments.push_back(absl::StrCat("%a", i, ": ", Signless(types[i])));
    joined.resize(out.size(), "none");
    for (std::string& c : joined) c = absl::StrCat("\"", c, "\"");
    return absl::StrCat(
        "fuseau_exec.kernel @k rank ", rank, " iotas ", iotas, " scalars ",
        scalars.size(), " in [", absl::StrJoin(types, ", "), "] out [",
        absl::StrJoin(out, ", "), "] inner [", absl::StrJoin(inner, ", "),
        "] reduction \"", reduction, "\" [", absl::StrJoin(joined, ", "), "]",
        " attributes {rows = ", rows, " : i32, streamed = ", streamed, " : i32",
        ", reduced = ", reduced, " : i64", turned ? ", turned" : "", "}",
        " {\n^bb0(", absl::StrJoin(arguments, ", "), "):\n", body, "\n}\n");
  }
};

inline mlir::OwningOpRef<mlir::ModuleOp> ParseKernel(
    const std::string& text, mlir::MLIRContext* context = &TestContext()) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, context);
  if (!module) fprintf(stderr, "%s\n", text.c_str());
  FUSEAU_CHECK(module);
  return module;
}

inline ir::exec::KernelOp KernelIn(mlir::ModuleOp module) {
  return *module.getOps<ir::exec::KernelOp>().begin();
}

inline absl::StatusOr<std::unique_ptr<runtime::Kernel>> CompileText(
    const std::string& text, const Target& target,
    OptLevel level = OptLevel::kO1) {
  auto module = ParseKernel(text);
  llvm::LLVMContext context;
  FUSEAU_ASSIGN_OR_RETURN(auto llvm_module,
                          EmitKernel(KernelIn(*module), target, context));
  if (getenv("FUSEAU_TEST_PRINT")) llvm_module->print(llvm::errs(), nullptr);
  FUSEAU_ASSIGN_OR_RETURN(std::string object,
                          CompileObject(*llvm_module, level));
  return LoadObject(object, "test");
}

// The targets that this machine can run.
inline std::vector<Target> TestTargets() {
  std::vector<Target> result;
  for (const char* isa : {"x86-64-v2", "x86-64-v3", "x86-64-v4", ""}) {
    auto target = MakeTarget(isa);
    if (target.ok()) result.push_back(*target);
  }
  return result;
}

// Bytes that touch an unmapped page behind their end, or before their start.
class GuardedBytes {
 public:
  explicit GuardedBytes(size_t size, bool guard_front = false) : size_(size) {
    constexpr size_t kPage = 4096;
    const size_t pages = (size + kPage - 1) / kPage + 2;
    mapped_ = pages * kPage;
    map_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    FUSEAU_CHECK(map_ != MAP_FAILED);
    mprotect(map_, kPage, PROT_NONE);
    mprotect(map_ + mapped_ - kPage, kPage, PROT_NONE);
    data_ = guard_front ? map_ + kPage : map_ + mapped_ - kPage - size;
  }
  ~GuardedBytes() { munmap(map_, mapped_); }
  GuardedBytes(const GuardedBytes&) = delete;
  char* data() { return data_; }
  size_t size() const { return size_; }

 private:
  size_t size_, mapped_;
  char *map_, *data_;
};

// A one-dimensional operand of class `inner`; other elements of its memory hold
// a pattern that must not change.
template <typename T>
class TestArray {
 public:
  TestArray(int64_t n, int inner)
      : n_(n),
        stride_(inner == 2    ? 3 * int64_t{sizeof(T)}
                : inner == -1 ? -int64_t{sizeof(T)}
                              : inner * int64_t{sizeof(T)}),
        bytes_(Size(n, inner), inner == -1) {
    memset(bytes_.data(), kPattern, bytes_.size());
    first_ = inner == -1 && n > 0 ? bytes_.data() + (n - 1) * sizeof(T)
                                  : bytes_.data();
  }
  void Set(int64_t i, T value) {
    memcpy(first_ + i * stride_, &value, sizeof(T));
  }
  T Get(int64_t i) const {
    T value;
    memcpy(&value, first_ + i * stride_, sizeof(T));
    return value;
  }
  bool GapsUntouched() const {
    const size_t step = stride_ == 0 ? sizeof(T) : std::abs(stride_);
    for (size_t b = 0; b < bytes_.size(); ++b)
      if (b % step >= sizeof(T) && data()[b] != kPattern) return false;
    return true;
  }
  char* first() { return first_; }
  int64_t stride() const { return stride_; }

 private:
  static constexpr char kPattern = 0x5a;
  static size_t Size(int64_t n, int inner) {
    if (inner == 0) return sizeof(T);
    if (inner == 2) return n == 0 ? 0 : (3 * n - 2) * sizeof(T);
    return n * sizeof(T);
  }
  const char* data() const { return first_ < last() ? first_ : last(); }
  const char* last() const { return first_ + (n_ ? n_ - 1 : 0) * stride_; }
  int64_t n_, stride_;
  GuardedBytes bytes_;
  char* first_;
};

// Arguments of a kernel.
class Arguments {
 public:
  explicit Arguments(std::vector<int64_t> sizes) : slots_(sizes) {
    rank_ = sizes.size();
  }
  Arguments& Operand(const void* address, std::vector<int64_t> strides) {
    FUSEAU_CHECK(strides.size() == rank_);
    slots_.push_back(reinterpret_cast<int64_t>(address));
    slots_.insert(slots_.end(), strides.begin(), strides.end());
    return *this;
  }
  template <typename T>
  Arguments& Array(TestArray<T>& array) {
    return Operand(array.first(), {array.stride()});
  }
  Arguments& Iota(int64_t start, std::vector<int64_t> steps) {
    return Operand(reinterpret_cast<void*>(start), std::move(steps));
  }
  template <typename T>
  Arguments& Scalar(T value) {
    int64_t slots[2] = {};
    memcpy(slots, &value, sizeof(value));
    slots_.insert(slots_.end(), slots, slots + 2);
    return *this;
  }
  void Run(const runtime::Kernel& kernel, int64_t lo, int64_t hi) {
    kernel.fn(lo, hi, slots_.data());
  }
  void Run(const runtime::Kernel& kernel) {
    Run(kernel, 0, rank_ == 0 ? 1 : slots_[0]);
  }

 private:
  size_t rank_;
  std::vector<int64_t> slots_;
};

template <typename T>
bool SameBits(T a, T b) {
  return memcmp(&a, &b, sizeof(T)) == 0;
}

// A type's name in the IR.
template <typename T>
std::string TypeName() {
  if constexpr (std::is_same_v<T, bool>) return "i1";
  if constexpr (std::is_same_v<T, float>) return "f32";
  if constexpr (std::is_same_v<T, double>) return "f64";
  if constexpr (std::is_same_v<T, std::complex<float>>) return "complex<f32>";
  if constexpr (std::is_same_v<T, std::complex<double>>) return "complex<f64>";
  if constexpr (std::is_integral_v<T>)
    return absl::StrCat(std::is_signed_v<T> ? "si" : "ui", 8 * sizeof(T));
}

template <typename T>
std::string BodyTypeName() {
  return KernelText::Signless(TypeName<T>());
}

}  // namespace fuseau::codegen
