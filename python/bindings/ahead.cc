#include "python/bindings/ahead.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "frontend/ahead.h"
#include "frontend/ahead_builder.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/throw_status.h"

namespace fuseau::python {
namespace {

namespace py = pybind11;
using py::literals::operator""_a;

// What a compiler refuses has exceptions of its own.
void CheckAhead(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnimplemented) {
    PyErr_SetString(PyExc_NotImplementedError,
                    std::string(status.message()).c_str());
    throw py::error_already_set();
  }
  Check(status);
}

DType TypeOf(const py::handle& object) {
  DType dtype;
  if (!ToDType(object.ptr(), &dtype)) throw py::error_already_set();
  return dtype;
}

std::vector<const Array*> ArraysOf(const py::list& list) {
  std::vector<const Array*> arrays;
  for (const py::handle& object : list) {
    if (!IsArray(object.ptr())) throw py::type_error("not a fuseau array");
    arrays.push_back(&ArrayOf(object.ptr()));
  }
  return arrays;
}

py::object Argument(const py::object& shape, const py::object& dtype) {
  Dims dims;
  if (!ToShape(shape.ptr(), &dims)) throw py::error_already_set();
  auto object = py::reinterpret_steal<py::object>(NewArrayObject());
  if (!object) throw py::error_already_set();
  CheckAhead(AheadArgument(TypeOf(dtype), dims, &ArrayOf(object.ptr())));
  return object;
}

// One program: plans for some sizes, then code.
class Builder {
 public:
  Builder(const std::string& cpu, bool any_size) {
    absl::StatusOr<std::unique_ptr<codegen::AheadBuilder>> made =
        codegen::AheadBuilder::Make(cpu, any_size);
    CheckAhead(made.status());
    builder_ = *std::move(made);
  }

  py::tuple Words(const py::list& arguments, const py::list& results) {
    absl::StatusOr<AheadTrace> traced =
        TraceAhead(ArraysOf(arguments), ArraysOf(results), &constants_);
    CheckAhead(traced.status());
    std::string mlir;
    std::vector<bool> written;
    for (int64_t output : traced->body.written) written.push_back(output >= 0);
    const auto words =
        builder_->Words(traced->trace, std::move(traced->body), &mlir);
    CheckAhead(words.status());
    return py::make_tuple(*words, written, mlir);
  }

  using Named = std::tuple<std::string, py::object, bool, bool>;
  using Variant = std::tuple<
      std::vector<std::pair<int64_t, int64_t>>, std::vector<int64_t>,
      std::vector<std::tuple<int64_t, int64_t, std::vector<int64_t>>>>;

  // Runs words for the given sizes on NumPy arrays.
  void Try(const std::vector<std::string>& letters,
           const std::vector<Named>& arguments,
           const std::vector<Named>& results, const std::vector<int64_t>& sizes,
           const std::vector<int64_t>& words, const py::list& inputs,
           const py::list& outputs) {
    runtime::Program program = Header(letters, arguments, results);
    runtime::ProgramVariant& variant = program.variants.emplace_back();
    variant.sizes.resize(letters.size());
    variant.words = words;
    const auto addresses = [](const py::list& list) {
      std::vector<void*> all;
      for (const py::handle& object : list) {
        all.push_back(
            PyArray_DATA(reinterpret_cast<PyArrayObject*>(object.ptr())));
      }
      return all;
    };
    CheckAhead(builder_->Try(std::move(program), sizes.data(),
                             addresses(inputs).data(),
                             addresses(outputs).data(), constants_));
  }

  py::dict Code(const std::string& name,
                const std::vector<std::string>& letters,
                const std::vector<Named>& arguments,
                const std::vector<Named>& results,
                const std::vector<Variant>& variants) {
    runtime::Program program = Header(letters, arguments, results);
    std::vector<codegen::AheadParameter> parameters;
    for (const auto& [argument, dtype, by_value, written] : arguments) {
      parameters.push_back({TypeOf(dtype), by_value});
    }
    for (const auto& [sizes, words, terms] : variants) {
      runtime::ProgramVariant& variant = program.variants.emplace_back();
      for (const auto& [low, high] : sizes)
        variant.sizes.push_back({low, high});
      variant.words = words;
      for (const auto& [word, coefficient, powers] : terms) {
        variant.terms.push_back({word, coefficient, powers});
      }
    }
    const absl::StatusOr<codegen::AheadCode> code =
        builder_->Code(name, std::move(program), parameters, constants_);
    CheckAhead(code.status());
    return py::dict("object"_a = py::bytes(code->object), "llvm"_a = code->llvm,
                    "asm"_a = code->assembly);
  }

  std::vector<std::string> Kernels() const { return builder_->KernelNames(); }

 private:
  static runtime::Program Header(const std::vector<std::string>& letters,
                                 const std::vector<Named>& arguments,
                                 const std::vector<Named>& results) {
    runtime::Program program;
    program.letters = letters;
    for (const auto& [argument, dtype, by_value, written] : arguments) {
      program.arguments.push_back({argument, TypeOf(dtype), written});
    }
    for (const auto& [result, dtype, by_value, written] : results) {
      program.results.push_back({result, TypeOf(dtype)});
    }
    return program;
  }

  std::unique_ptr<codegen::AheadBuilder> builder_;
  std::string constants_;
};

}  // namespace

bool AddAhead(PyObject* module) {
  try {
    auto m = py::reinterpret_borrow<py::module_>(module);
    m.def("begin_ahead", [] { CheckAhead(BeginAhead()); });
    m.def("end_ahead", &EndAhead);
    m.def("ahead_argument", &Argument, "shape"_a, "dtype"_a);
    m.def(
        "compile_recording",
        [](const std::string& path, const std::string& cache,
           const std::string& cpu) {
          const auto made = codegen::CompileRecording(path, cache, cpu);
          CheckAhead(made.status());
          return py::make_tuple(made->traces, made->kernels);
        },
        "path"_a, "cache"_a, "cpu"_a,
        "Compiles what FUSEAU_RECORD has written into a folder for "
        "FUSEAU_CACHE_DIR. The numbers of traces and of compiled kernels.");
    py::class_<Builder>(m, "AheadBuilder")
        .def(py::init<const std::string&, bool>(), "cpu"_a, "any_size"_a)
        .def("words", &Builder::Words, "arguments"_a, "results"_a,
             "The words of a variant, which arguments are written to, and the "
             "trace as MLIR.")
        .def("code", &Builder::Code, "name"_a, "letters"_a, "arguments"_a,
             "results"_a, "variants"_a)
        .def("try_words", &Builder::Try, "letters"_a, "arguments"_a,
             "results"_a, "sizes"_a, "words"_a, "inputs"_a, "outputs"_a)
        .def("kernels", &Builder::Kernels);
  } catch (py::error_already_set& error) {
    error.restore();
    return false;
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return false;
  }
  return true;
}

}  // namespace fuseau::python
