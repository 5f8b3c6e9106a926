#include "runtime/ahead/program.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/ahead/plan_words.h"
#include "runtime/bands.h"
#include "runtime/base/status.h"
#include "runtime/cpu/quick_call.h"
#include "runtime/plan_check.h"

namespace fuseau::runtime {
namespace {

// Sizes that a program has been run for; when there are more all are forgotten.
constexpr size_t kMaxInstances = 64;

struct LinkedKernel : Kernel {
  LinkedKernel(std::string kernel_name, KernelFn function) {
    name = std::move(kernel_name);
    fn = function;
  }
};

// The program for given sizes.
struct Instance {
  VariantBody body;
  std::vector<ScalarValue> scalars;
  std::shared_ptr<const Plan> plan;
};

// Calls f with a value of the type; false for those of two parts.
template <typename F>
bool WithType(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kBool:
    case DType::kUInt8:
      return f(uint8_t{});
    case DType::kInt8:
      return f(int8_t{});
    case DType::kInt16:
      return f(int16_t{});
    case DType::kUInt16:
      return f(uint16_t{});
    case DType::kInt32:
      return f(int32_t{});
    case DType::kUInt32:
      return f(uint32_t{});
    case DType::kInt64:
    case DType::kUInt64:
      return f(int64_t{});
    case DType::kFloat32:
      return f(float{});
    case DType::kFloat64:
      return f(double{});
    case DType::kComplex64:
    case DType::kComplex128:
      break;
  }
  return false;
}

absl::Status CheckProcessor(ProcessorLevel level) {
  bool has = true;
  const char* name = "x86-64-v2";
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (level) {
    case ProcessorLevel::kV2:
      break;
    case ProcessorLevel::kV3:
      name = "x86-64-v3";
      has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
            __builtin_cpu_supports("bmi2");
      break;
    case ProcessorLevel::kV4:
      name = "x86-64-v4";
      has = __builtin_cpu_supports("avx512f") &&
            __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl");
      break;
  }
#endif
  if (has) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "compiled for ", name, ", whose instructions this processor has not"));
}

// The words of a variant for these sizes.
absl::StatusOr<std::vector<int64_t>> WordsFor(const ProgramVariant& variant,
                                              absl::Span<const int64_t> sizes) {
  std::vector<int64_t> words = variant.words;
  bool fits = true;
  for (const WordTerm& term : variant.terms) {
    if (term.word < 0 || term.word >= static_cast<int64_t>(words.size()) ||
        term.powers.size() != sizes.size()) {
      return absl::DataLossError("a compiled program is damaged");
    }
    int64_t value = term.coefficient;
    for (size_t i = 0; i < sizes.size(); ++i) {
      for (int64_t p = 0; p < term.powers[i]; ++p) {
        fits &= !__builtin_mul_overflow(value, sizes[i], &value);
      }
    }
    int64_t& word = words[static_cast<size_t>(term.word)];
    fits &= !__builtin_add_overflow(word, value, &word);
  }
  if (!fits) return absl::InvalidArgumentError("the sizes are too large");
  return words;
}

// Sizes that a formula makes may be none: the compiler plans no loops over
// nothing, and kernels need not allow for them.
absl::Status CheckSizes(const Plan& plan) {
  bool good = true;
  const auto check = [&](const Dims& sizes) {
    for (int64_t size : sizes) good &= size > 0;
  };
  for (const Launch& launch : plan.launches) check(launch.sizes);
  for (const RoutineCall& call : plan.routines) check(call.sizes);
  for (const std::vector<CopyPart>& parts : plan.copies) {
    for (const CopyPart& part : parts) {
      check(part.sizes);
      good &= part.bytes > 0;
    }
  }
  for (const PlanBuffer& buffer : plan.buffers) good &= buffer.bytes >= 0;
  if (good) return absl::OkStatus();
  return absl::InternalError("the plan has loops over nothing");
}

bool Fits(const ProgramVariant& variant, absl::Span<const int64_t> sizes) {
  for (size_t i = 0; i < sizes.size(); ++i) {
    const SizeRange& range = variant.sizes[i];
    if (sizes[i] < range.low || sizes[i] > range.high) return false;
  }
  return true;
}

struct Bytes {
  const char* begin;
  int64_t count;
  bool Overlaps(const Bytes& o) const {
    return count > 0 && o.count > 0 && begin < o.begin + o.count &&
           o.begin < begin + count;
  }
};

// The buffer of somebody else's memory, who keeps it for as long as the run.
BufferRef Borrow(const void* data, int64_t bytes) {
  return Buffer::Wrap(const_cast<void*>(data), bytes, [] {});
}

class LoadedProgram {
 public:
  // Made at the first run and kept until the process ends.
  static absl::StatusOr<LoadedProgram*> Of(ProgramData* data) {
    std::atomic_ref<void*> state(data->state);
    if (void* known = state.load(std::memory_order_acquire)) {
      return static_cast<LoadedProgram*>(known);
    }
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (void* known = state.load(std::memory_order_acquire)) {
      return static_cast<LoadedProgram*>(known);
    }
    auto loaded = std::make_unique<LoadedProgram>();
    FUSEAU_RETURN_IF_ERROR(loaded->Load(*data));
    state.store(loaded.get(), std::memory_order_release);
    return loaded.release();
  }

  absl::Status Run(const int64_t* sizes, void* const* arguments,
                   void* const* results) {
    FUSEAU_ASSIGN_OR_RETURN(const std::shared_ptr<const Instance> instance,
                            For(sizes));
    const VariantBody& body = instance->body;
    FUSEAU_RETURN_IF_ERROR(CheckMemory(body, arguments, results));

    std::vector<BufferRef> inputs;
    for (size_t i = 0; i < body.inputs.size(); ++i) {
      const ValueSource& source = body.inputs[i];
      inputs.push_back(
          source.kind == ValueSource::kArgument
              ? Borrow(arguments[source.index],
                       body.argument_bytes[source.index])
              : Borrow(data_.constants + source.index, body.input_bytes[i]));
    }
    // What is given back as it came must be read before it is overwritten.
    for (size_t r = 0; r < body.results.size(); ++r) {
      const ValueSource& source = body.results[r];
      if (source.kind == ValueSource::kOutput) continue;
      Copy(results[r],
           source.kind == ValueSource::kArgument
               ? arguments[source.index]
               : data_.constants + source.index,
           ResultBytes(body, r));
    }
    std::vector<BufferRef> given(instance->plan->outputs.size());
    for (size_t r = 0; r < body.results.size(); ++r) {
      if (body.results[r].kind != ValueSource::kOutput) continue;
      BufferRef& place = given[static_cast<size_t>(body.results[r].index)];
      if (!place) place = Borrow(results[r], ResultBytes(body, r));
    }
    ExecuteOptions options;
    options.results = given;
    std::vector<BufferRef> outputs;
    FUSEAU_RETURN_IF_ERROR(
        Execute(*instance->plan, inputs, instance->scalars, &outputs, options));
    for (size_t r = 0; r < body.results.size(); ++r) {
      if (body.results[r].kind != ValueSource::kOutput) continue;
      Copy(results[r],
           outputs[static_cast<size_t>(body.results[r].index)]->data(),
           ResultBytes(body, r));
    }
    StoreWritten(body, outputs, arguments);
    return absl::OkStatus();
  }

  absl::Status Shape(const int64_t* sizes, int result, int64_t* shape) {
    FUSEAU_ASSIGN_OR_RETURN(const std::shared_ptr<const Instance> instance,
                            For(sizes));
    if (result < 0 ||
        result >= static_cast<int>(instance->body.result_shapes.size())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "there is no result ", result, ": the program has ",
          instance->body.result_shapes.size(), ", counted from 0"));
    }
    const Dims& dims = instance->body.result_shapes[result];
    std::copy(dims.begin(), dims.end(), shape);
    return absl::OkStatus();
  }

 private:
  absl::Status Load(const ProgramData& data) {
    data_ = data;
    WordReader words({data.words, static_cast<size_t>(data.word_count)});
    Fields(words, program_);
    if (program_.format != kProgramFormat) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the program has format ", program_.format,
          ", this libfuseau_kernels_runtime reads format ", kProgramFormat));
    }
    FUSEAU_RETURN_IF_ERROR(words.Finish());
    FUSEAU_RETURN_IF_ERROR(CheckProcessor(program_.processor));
    for (size_t i = 0; i < program_.loops.size(); ++i) {
      const InnerLoop* loop = FindInnerLoop(program_.loops[i]);
      if (loop == nullptr) {
        return absl::UnimplementedError(absl::StrCat(
            "this libfuseau_kernels_runtime has no loop ", program_.loops[i]));
      }
      *data.loops[i] = *loop;
    }
    for (size_t i = 0; i < program_.kernels.size(); ++i) {
      kernels_.push_back(
          std::make_shared<LinkedKernel>(program_.kernels[i], data.kernels[i]));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::shared_ptr<const Instance>> For(const int64_t* sizes) {
    const std::vector<int64_t> key(sizes, sizes + program_.letters.size());
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const Instance>& known = instances_[key];
    if (known != nullptr) return known;
    absl::StatusOr<std::shared_ptr<const Instance>> made = Make(key);
    if (!made.ok()) {
      instances_.erase(key);
      return made.status();
    }
    if (instances_.size() > kMaxInstances) {
      instances_.clear();
      return instances_[key] = *std::move(made);
    }
    return known = *std::move(made);
  }

  absl::StatusOr<std::shared_ptr<const Instance>> Make(
      const std::vector<int64_t>& sizes) const {
    for (const ProgramVariant& variant : program_.variants) {
      if (!Fits(variant, sizes)) continue;
      FUSEAU_ASSIGN_OR_RETURN(const std::vector<int64_t> words,
                              WordsFor(variant, sizes));
      auto instance = std::make_shared<Instance>();
      WordReader reader(words);
      Fields(reader, instance->body);
      FUSEAU_ASSIGN_OR_RETURN(const std::shared_ptr<Plan> plan,
                              ReadPlan(reader, kernels_));
      FUSEAU_RETURN_IF_ERROR(CheckSizes(*plan));
      FUSEAU_RETURN_IF_ERROR(CheckPlan(*plan));
      GroupBands(plan.get(), BandLimits::FromSettings());
      PrepareQuickCalls(plan.get());
      instance->plan = plan;
      for (const ProgramScalar& scalar : instance->body.scalars) {
        instance->scalars.push_back(scalar.Bytes());
      }
      return instance;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "given ", SizesText(sizes), ", expected ", VariantsText()));
  }

  std::string SizesText(absl::Span<const int64_t> sizes) const {
    std::string text;
    for (size_t i = 0; i < sizes.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ", ", program_.letters[i], " = ",
                      sizes[i]);
    }
    return text;
  }
  std::string VariantsText() const {
    std::vector<std::string> all;
    for (const ProgramVariant& variant : program_.variants) {
      std::string text;
      for (size_t i = 0; i < variant.sizes.size(); ++i) {
        const SizeRange& range = variant.sizes[i];
        absl::StrAppend(&text, i == 0 ? "" : ", ", program_.letters[i],
                        range.low == range.high ? " = " : " >= ", range.low);
      }
      all.push_back(std::move(text));
    }
    return absl::StrJoin(all, ", or ");
  }

  int64_t ResultBytes(const VariantBody& body, size_t result) const {
    return Count(body.result_shapes[result]) *
           ItemSize(program_.results[result].dtype);
  }

  absl::Status CheckMemory(const VariantBody& body, void* const* arguments,
                           void* const* results) const {
    std::vector<Bytes> read, written;
    std::vector<const std::string*> read_names, written_names;
    const auto add = [](const std::string& name, const void* at, int64_t bytes,
                        auto* list, auto* names) {
      list->push_back({static_cast<const char*>(at), bytes});
      names->push_back(&name);
      if (at != nullptr || bytes == 0) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat("the address of ", name,
                                                     " is null; expected ",
                                                     bytes, " bytes there"));
    };
    for (size_t a = 0; a < program_.arguments.size(); ++a) {
      const bool out = program_.arguments[a].written;
      FUSEAU_RETURN_IF_ERROR(add(program_.arguments[a].name, arguments[a],
                                 body.argument_bytes[a], out ? &written : &read,
                                 out ? &written_names : &read_names));
    }
    for (size_t r = 0; r < program_.results.size(); ++r) {
      FUSEAU_RETURN_IF_ERROR(add(program_.results[r].name, results[r],
                                 ResultBytes(body, r), &written,
                                 &written_names));
    }
    for (size_t w = 0; w < written.size(); ++w) {
      const auto overlap = [&](const std::string& other) {
        return absl::InvalidArgumentError(
            absl::StrCat("the memory of ", *written_names[w],
                         ", which is written, overlaps that of ", other));
      };
      for (size_t r = 0; r < read.size(); ++r) {
        if (written[w].Overlaps(read[r])) return overlap(*read_names[r]);
      }
      for (size_t o = 0; o < w; ++o) {
        if (written[w].Overlaps(written[o])) return overlap(*written_names[o]);
      }
    }
    return absl::OkStatus();
  }

  // New elements of arguments, unless the plan has put them there. What the
  // plan has left in the memory of another argument is taken out first.
  void StoreWritten(const VariantBody& body,
                    const std::vector<BufferRef>& outputs,
                    void* const* arguments) const {
    std::vector<std::pair<size_t, std::string>> moved;
    for (size_t a = 0; a < body.written.size(); ++a) {
      if (body.written[a] < 0) continue;
      const char* from = outputs[static_cast<size_t>(body.written[a])]->data();
      if (from == arguments[a]) continue;
      moved.emplace_back(
          a, std::string(from, static_cast<size_t>(body.argument_bytes[a])));
    }
    for (const auto& [a, bytes] : moved) {
      Copy(arguments[a], bytes.data(), body.argument_bytes[a]);
    }
  }

  static void Copy(void* to, const void* from, int64_t bytes) {
    if (to != from && bytes > 0) {
      std::memcpy(to, from, static_cast<size_t>(bytes));
    }
  }

  ProgramData data_ = {};
  Program program_;
  KernelList kernels_;
  std::mutex mutex_;
  std::map<std::vector<int64_t>, std::shared_ptr<const Instance>> instances_;
};

}  // namespace

ProgramScalar ProgramScalar::Of(DType dtype, const ScalarValue& bytes) {
  ProgramScalar scalar;
  scalar.dtype = dtype;
  scalar.bytes = bytes;
  WithType(dtype, [&](auto number) {
    std::memcpy(&number, bytes.bytes, sizeof(number));
    // Up to here all whole numbers are floats of the type.
    constexpr double kLargest =
        sizeof(number) == 4 ? 1 << 24 : double{int64_t{1} << 53};
    const double as_double = static_cast<double>(number);
    if constexpr (std::is_floating_point_v<decltype(number)>) {
      scalar.whole = std::abs(as_double) <= kLargest &&
                     as_double == std::trunc(as_double) &&
                     !(as_double == 0 && std::signbit(as_double));
    } else {
      scalar.whole = true;
    }
    if (scalar.whole) scalar.value = static_cast<int64_t>(number);
    return true;
  });
  return scalar;
}

ScalarValue ProgramScalar::Bytes() const {
  if (!whole) return bytes;
  ScalarValue result;
  WithType(dtype, [&](auto number) {
    number = static_cast<decltype(number)>(value);
    std::memcpy(result.bytes, &number, sizeof(number));
    return true;
  });
  return result;
}

absl::Status RunProgram(ProgramData* data, const int64_t* sizes,
                        void* const* arguments, void* const* results) {
  FUSEAU_ASSIGN_OR_RETURN(LoadedProgram * program, LoadedProgram::Of(data));
  return program->Run(sizes, arguments, results);
}

void ForgetProgram(ProgramData* data) {
  delete static_cast<LoadedProgram*>(std::exchange(data->state, nullptr));
}

absl::Status ShapeOfResult(ProgramData* data, const int64_t* sizes, int result,
                           int64_t* shape) {
  FUSEAU_ASSIGN_OR_RETURN(LoadedProgram * program, LoadedProgram::Of(data));
  return program->Shape(sizes, result, shape);
}

}  // namespace fuseau::runtime
