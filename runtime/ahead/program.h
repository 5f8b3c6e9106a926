// A program that was compiled ahead of time: what its object file holds, and
// how that is run without a compiler.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/ahead/words.h"
#include "runtime/base/dims.h"
#include "runtime/base/dtype.h"
#include "runtime/executor.h"
#include "runtime/inner_loops.h"
#include "runtime/plan.h"

namespace fuseau::runtime {

// Raised when the meaning of the words or of ProgramData changes.
inline constexpr int64_t kProgramFormat = 1;

// What an object file defines for each program; the code generator writes it
// field by field. The words are a Program. `kernels` are in the order of its
// names, `loops` are cells that are filled before the first run.
struct ProgramData {
  const int64_t* words;
  int64_t word_count;
  const KernelFn* kernels;
  InnerLoop* const* loops;
  const char* constants;
  void* state;  // null until the first run
};

// An instruction set by what a processor must have at least.
enum class ProcessorLevel : uint8_t { kV2, kV3, kV4 };

struct ProgramArgument {
  std::string name;
  DType dtype = DType::kFloat64;
  bool written = false;  // holds new elements after a run
};

struct ProgramResult {
  std::string name;
  DType dtype = DType::kFloat64;
};

// For which sizes a variant is right, one for each letter of the signature.
struct SizeRange {
  int64_t low = 0;
  int64_t high = INT64_MAX;  // included
};

// A word of a variant grows by coefficient * product(sizes ^ powers).
struct WordTerm {
  int64_t word = 0;
  int64_t coefficient = 0;
  std::vector<int64_t> powers;  // one for each letter
};

// How the program is run for some sizes. The words are a VariantBody and then
// a plan, once the terms are added.
struct ProgramVariant {
  std::vector<SizeRange> sizes;
  std::vector<int64_t> words;
  std::vector<WordTerm> terms;
};

struct Program {
  int64_t format = kProgramFormat;
  ProcessorLevel processor = ProcessorLevel::kV2;
  std::vector<std::string> letters;
  std::vector<ProgramArgument> arguments;
  std::vector<ProgramResult> results;
  std::vector<std::string> kernels;
  std::vector<std::string> loops;
  std::vector<ProgramVariant> variants;
};

// What an input of the plan is, or where a result comes from.
struct ValueSource {
  enum Kind : uint8_t {
    kArgument,  // number `index`
    kConstant,  // bytes of the object from `index` on
    kOutput,    // number `index` of the plan
  };
  Kind kind = kArgument;
  int64_t index = 0;
};

// A number of the plan. Whole ones are kept as such, since those that come from
// sizes (the divisor of a mean) grow with them.
struct ProgramScalar {
  DType dtype = DType::kFloat64;
  bool whole = false;
  int64_t value = 0;  // if whole
  ScalarValue bytes;  // else

  static ProgramScalar Of(DType dtype, const ScalarValue& bytes);
  ScalarValue Bytes() const;
};

struct VariantBody {
  std::vector<int64_t> argument_bytes;
  std::vector<Dims> result_shapes;
  std::vector<ValueSource> inputs;  // of the plan; with their sizes:
  std::vector<int64_t> input_bytes;
  std::vector<ProgramScalar> scalars;  // of the plan
  std::vector<ValueSource> results;
  // The plan's output that holds the new elements of each argument; -1 if the
  // argument is only read.
  std::vector<int64_t> written;
};

template <typename Io>
void Fields(Io& io, Program& p) {
  io.Number(p.format);
  io.Number(p.processor);
  const auto texts = [](auto& each, std::string& s) { each.Text(s); };
  io.Each(p.letters, texts);
  io.Each(p.arguments, [](auto& each, ProgramArgument& a) {
    each.Text(a.name);
    each.Number(a.dtype);
    each.Number(a.written);
  });
  io.Each(p.results, [](auto& each, ProgramResult& r) {
    each.Text(r.name);
    each.Number(r.dtype);
  });
  io.Each(p.kernels, texts);
  io.Each(p.loops, texts);
  io.Each(p.variants, [](auto& each, ProgramVariant& v) {
    each.Each(v.sizes, [](auto& size, SizeRange& r) {
      size.Number(r.low);
      size.Number(r.high);
    });
    Numbers(each, v.words);
    each.Each(v.terms, [](auto& term, WordTerm& t) {
      term.Number(t.word);
      term.Number(t.coefficient);
      Numbers(term, t.powers);
    });
  });
}

template <typename Io>
void Fields(Io& io, VariantBody& b) {
  Numbers(io, b.argument_bytes);
  io.Each(b.result_shapes, [](auto& each, Dims& dims) { Numbers(each, dims); });
  const auto source = [](auto& each, ValueSource& s) {
    each.Number(s.kind);
    each.Number(s.index);
  };
  io.Each(b.inputs, source);
  Numbers(io, b.input_bytes);
  io.Each(b.scalars, [](auto& each, ProgramScalar& s) {
    each.Number(s.dtype);
    each.Number(s.whole);
    // As many words in either case.
    if (s.whole) {
      int64_t none = 0;
      each.Number(s.value);
      each.Number(none);
    } else {
      each.Bytes(s.bytes.bytes, sizeof(s.bytes.bytes));
    }
  });
  io.Each(b.results, source);
  Numbers(io, b.written);
}

// Runs the program on the memory of the caller. `sizes` has a number for each
// letter. Loops have been
// registered. Errors: InvalidArgument for sizes that it was not compiled for,
// null addresses, and results that overlap; FailedPrecondition on a processor
// that lacks its instructions; ResourceExhausted. May be called from any
// thread.
absl::Status RunProgram(ProgramData* data, const int64_t* sizes,
                        void* const* arguments, void* const* results);

// Frees what the first run has made. No run is under way.
void ForgetProgram(ProgramData* data);

// The sizes of a result. `shape` is as long as the result has dimensions.
absl::Status ShapeOfResult(ProgramData* data, const int64_t* sizes, int result,
                           int64_t* shape);

}  // namespace fuseau::runtime
