// What the tests of kernels for GPUs share: a kernel for the processor and its
// twin on the emulated device, run on equal operands.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/cpu/kernel_test_util.h"
#include "codegen/gpu/emitter.h"
#include "codegen/gpu/emulate.h"
#include "codegen/gpu/launch_shape.h"
#include "codegen/kernel_spec.h"

namespace fuseau::codegen::gpu {

// The address sanitizer's build compiles images for it, too.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUSEAU_TEST_SANITIZE true
#endif
#endif
#ifndef FUSEAU_TEST_SANITIZE
#define FUSEAU_TEST_SANITIZE false
#endif

inline GpuSource EmitText(const std::string& text) {
  auto module = ParseKernel(text);
  absl::StatusOr<GpuSource> source = EmitCuda(KernelIn(*module));
  if (!source.ok()) fprintf(stderr, "%s\n", source.status().ToString().c_str());
  FUSEAU_CHECK(source.ok());
  return *std::move(source);
}

// A loaded image of the emulated device; it stays loaded, and its file open:
// the loader takes files of one name for the same one.
inline void* LoadImage(const std::string& image) {
  const int file = memfd_create("fuseau-image", MFD_CLOEXEC);
  FUSEAU_CHECK(file >= 0);
  FUSEAU_CHECK(write(file, image.data(), image.size()) ==
               static_cast<ssize_t>(image.size()));
  void* handle = dlopen(absl::StrCat("/proc/self/fd/", file).c_str(), RTLD_NOW);
  if (handle == nullptr) fprintf(stderr, "%s\n", dlerror());
  FUSEAU_CHECK(handle != nullptr);
  return handle;
}

struct Twins {
  KernelText text;
  GpuSource source;
  std::shared_ptr<runtime::Kernel> cpu;
  runtime::cuda::EmulatedLaunchFn gpu = nullptr;
};

// One compile of the emulated device for all of them.
inline std::vector<Twins> MakeTwins(std::vector<KernelText> texts,
                                    const std::string* prelude = nullptr) {
  std::vector<Twins> twins;
  std::vector<GpuSource> sources;
  for (KernelText& text : texts) {
    Twins& twin = twins.emplace_back();
    twin.source = EmitText(text.str());
    auto cpu = CompileText(text.str(), *MakeTarget(""));
    if (!cpu.ok()) fprintf(stderr, "%s\n", cpu.status().ToString().c_str());
    FUSEAU_CHECK(cpu.ok());
    twin.cpu = *std::move(cpu);
    twin.text = std::move(text);
    if (std::none_of(sources.begin(), sources.end(), [&](const auto& other) {
          return other.name == twin.source.name;
        }))
      sources.push_back(twin.source);
  }
  auto image = CompileForEmulation(
      sources,
      {.compiler = "", .sanitize = FUSEAU_TEST_SANITIZE, .prelude = prelude});
  if (!image.ok()) fprintf(stderr, "%s\n", image.status().ToString().c_str());
  FUSEAU_CHECK(image.ok());
  void* handle = LoadImage(*image);
  for (Twins& twin : twins) {
    twin.gpu = reinterpret_cast<runtime::cuda::EmulatedLaunchFn>(dlsym(
        handle,
        absl::StrCat(twin.source.name, runtime::cuda::kEmulatedLaunchSuffix)
            .c_str()));
    FUSEAU_CHECK(twin.gpu != nullptr);
  }
  return twins;
}

inline void FillRandomly(DType dtype, char* to, std::mt19937_64& random) {
  const double number = std::normal_distribution<double>(0.1, 40)(random);
  auto put = [&](auto value, int part) {
    memcpy(to + part * sizeof(value), &value, sizeof(value));
  };
  switch (ClassOf(dtype)) {
    case DTypeClass::kBool:
      *to = random() & 1;
      return;
    case DTypeClass::kSigned:
    case DTypeClass::kUnsigned: {
      const uint64_t bits = random();
      memcpy(to, &bits, ItemSize(dtype));
      return;
    }
    case DTypeClass::kFloat:
    case DTypeClass::kComplex:
      for (int part = 0; part < ItemSize(dtype) / ItemSize(PartType(dtype));
           ++part) {
        const double x = part == 0 ? number : number - 3.25;
        if (PartType(dtype) == DType::kFloat32)
          put(static_cast<float>(x), part);
        else
          put(x, part);
      }
      return;
  }
}

// An operand in bytes of its own that end at an unmapped page.
class TestOperand {
 public:
  // `moves[d]`: whether it has elements of its own along dimension d. `pad`
  // elements lie between its rows.
  TestOperand(DType dtype, Inner inner, const std::vector<int64_t>& sizes,
              std::vector<bool> moves, int pad, std::mt19937_64& random)
      : item_(ItemSize(dtype)), strides_(sizes.size()) {
    const int rank = static_cast<int>(sizes.size());
    int64_t bytes = item_;
    for (int d = rank - 1; d >= 0; --d) {
      if (!moves[d]) continue;
      if (d == rank - 1) {
        strides_[d] = inner == Inner::kStrided
                          ? 3 * item_
                          : static_cast<int>(inner) * int64_t{item_};
      } else {
        strides_[d] = bytes + pad * item_;
      }
      if (sizes[d] > 0) bytes += std::abs(strides_[d]) * (sizes[d] - 1);
    }
    bytes_ = std::make_unique<GuardedBytes>(bytes, inner == Inner::kBackwards);
    first_ = rank > 0 && strides_[rank - 1] < 0 && sizes[rank - 1] > 0
                 ? -strides_[rank - 1] * (sizes[rank - 1] - 1)
                 : 0;
    for (int64_t i = 0; i < bytes / item_; ++i)
      FillRandomly(dtype, bytes_->data() + i * item_, random);
  }
  char* address() { return bytes_->data() + first_; }
  const std::vector<int64_t>& strides() const { return strides_; }
  std::string content() const {
    return std::string(bytes_->data(), bytes_->size());
  }
  void SetContent(const std::string& content) {
    memcpy(bytes_->data(), content.data(), content.size());
  }

 private:
  int item_;
  std::vector<int64_t> strides_;
  std::unique_ptr<GuardedBytes> bytes_;
  int64_t first_ = 0;
};

inline constexpr uint32_t kOrders[] = {0, 1, 77};

// Runs the kernel on the emulated device.
inline void RunEmulated(const Twins& twin, const std::vector<int64_t>& sizes,
                        std::vector<int64_t> slots, uint32_t order) {
  const auto shape = ShapeOf(twin.source.rule, sizes);
  std::vector<char> workspace(shape.workspace_bytes + 1, 0x5a);
  std::fill_n(workspace.begin(), shape.zeroed_bytes, 0);
  slots.push_back(reinterpret_cast<int64_t>(workspace.data()));
  FUSEAU_CHECK(static_cast<int>(slots.size()) == twin.source.slots);
  const uint32_t grid[] = {shape.grid.x, shape.grid.y, shape.grid.z};
  const uint32_t block[] = {shape.block.x, shape.block.y, shape.block.z};
  twin.gpu(grid, block, order, slots.data());
  for (int64_t i = 0; i < shape.zeroed_bytes; ++i)
    FUSEAU_CHECK(workspace[i] == 0);
}

struct TwinOptions {
  int pad = 0;  // elements between rows
  // Inputs that are the same along an outer dimension: bit d of still[input].
  std::vector<uint64_t> still = {};
  std::vector<uint32_t> orders = {std::begin(kOrders), std::end(kOrders)};
};

// Whether both give the same bytes, in all orders, also in the gaps.
inline testing::AssertionResult Agree(const Twins& twin,
                                      const std::vector<int64_t>& sizes,
                                      const TwinOptions& options = {}) {
  auto module = ParseKernel(twin.text.str());
  const KernelSpec spec = *ReadKernel(KernelIn(*module));
  std::mt19937_64 random(5);
  std::vector<TestOperand> operands;
  const size_t inputs = spec.inputs.size();
  const int rank = spec.rank;
  for (int i = 0; i < spec.OperandCount(); ++i) {
    const bool input = i < static_cast<int>(inputs);
    const OperandSpec& operand =
        input ? spec.inputs[i] : spec.outputs[i - inputs];
    std::vector<bool> moves(rank, true);
    for (int d = 0; d < rank; ++d) {
      if (input && i < static_cast<int>(options.still.size()))
        moves[d] = (options.still[i] >> d & 1) == 0;
      if (!input && twin.source.rule.reduced >> d & 1) moves[d] = false;
    }
    operands.emplace_back(operand.dtype, operand.inner, sizes, moves,
                          options.pad, random);
  }
  std::vector<int64_t> slots = sizes;
  for (int i = 0; i < spec.OperandCount(); ++i) {
    if (i < static_cast<int>(inputs) && spec.inputs[i].iota) {
      slots.push_back(-7);
      for (int d = 0; d < rank; ++d) slots.push_back(3 - d);
      continue;
    }
    slots.push_back(reinterpret_cast<int64_t>(operands[i].address()));
    for (int64_t stride : operands[i].strides()) slots.push_back(stride);
  }
  for (DType dtype : spec.scalars) {
    int64_t value[2] = {};
    FillRandomly(dtype, reinterpret_cast<char*>(value), random);
    slots.insert(slots.end(), value, value + 2);
  }
  std::vector<std::string> before, expected;
  for (size_t i = inputs; i < operands.size(); ++i)
    before.push_back(operands[i].content());
  twin.cpu->fn(0, rank == 0 ? 1 : sizes[0], slots.data());
  for (size_t i = inputs; i < operands.size(); ++i)
    expected.push_back(operands[i].content());
  for (uint32_t order : options.orders) {
    for (size_t i = inputs; i < operands.size(); ++i)
      operands[i].SetContent(before[i - inputs]);
    RunEmulated(twin, sizes, slots, order);
    for (size_t i = inputs; i < operands.size(); ++i) {
      const std::string got = operands[i].content();
      const std::string& want = expected[i - inputs];
      if (got == want) continue;
      const size_t at =
          std::mismatch(got.begin(), got.end(), want.begin()).first -
          got.begin();
      return testing::AssertionFailure()
             << "result " << i - inputs << " differs at byte " << at << " of "
             << got.size() << ", sizes [" << absl::StrJoin(sizes, ", ")
             << "], order " << order << ", pad " << options.pad << "\n"
             << twin.text.str() << twin.source.code;
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace fuseau::codegen::gpu
