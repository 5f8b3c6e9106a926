// What is taken from NumPy's ufuncs: their type rules and their inner loops.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "ir/op_table.h"
#include "python/bindings/arguments.h"
#include "python/bindings/ufunc_call.h"
#include "runtime/base/float_flags.h"
#include "runtime/inner_loops.h"
#include "runtime/vector_math/vector_math.h"

namespace fuseau::python {
namespace {

using ir::OpRow;

// NumPy's ufuncs by operation; null for operations that are none.
std::vector<PyObject*>& Ufuncs() {
  static auto* const ufuncs =
      new std::vector<PyObject*>(static_cast<size_t>(ir::OpCount()), nullptr);
  return *ufuncs;
}

// What resolve_dtypes takes for an operand; borrowed.
PyObject* KindObject(Kind kind) {
  switch (kind) {
    case kPyInt:
      return reinterpret_cast<PyObject*>(&PyLong_Type);
    case kPyFloat:
      return reinterpret_cast<PyObject*>(&PyFloat_Type);
    case kPyComplex:
      return reinterpret_cast<PyObject*>(&PyComplex_Type);
    default:
      return reinterpret_cast<PyObject*>(ToDescr(static_cast<DType>(kind)));
  }
}

PyRef AskNumpy(OpCode op, Kind a, Kind b) {
  PyObject* ufunc = NumpyUfunc(op);
  PyRef kinds(ir::RowOf(op).arity == 1
                  ? PyTuple_Pack(2, KindObject(a), Py_None)
                  : PyTuple_Pack(3, KindObject(a), KindObject(b), Py_None));
  if (!kinds) return PyRef();
  return PyRef(
      PyObject_CallMethod(ufunc, "resolve_dtypes", "(O)", kinds.get()));
}

Loop ResolveLoop(OpCode op, Kind a, Kind b) {
  Loop loop;
  PyRef types = AskNumpy(op, a, b);
  if (!types) {
    loop.state = PyErr_ExceptionMatches(PyExc_TypeError) ? Loop::kError
                                                         : Loop::kFallback;
    PyErr_Clear();
    return loop;
  }
  loop.state = Loop::kNative;
  const Py_ssize_t count = PyTuple_GET_SIZE(types.get());
  for (Py_ssize_t k = 0; k < count; ++k) {
    auto* descr =
        reinterpret_cast<PyArray_Descr*>(PyTuple_GET_ITEM(types.get(), k));
    DType* dtype = k + 1 < count ? &loop.in[k] : &loop.out;
    if (!FromDescr(descr, dtype)) loop.state = Loop::kFallback;
  }
  return loop;
}

// np.result_type of two kinds.
Loop ResolveType(Kind a, Kind b) {
  Loop loop;
  loop.state = Loop::kFallback;
  const auto object = [](Kind kind) {
    return IsStrong(kind)     ? Py_NewRef(KindObject(kind))
           : kind == kPyInt   ? PyLong_FromLong(0)
           : kind == kPyFloat ? PyFloat_FromDouble(0)
                              : PyComplex_FromDoubles(0, 0);
  };
  PyRef x(object(a)), y(object(b));
  PyRef type(
      PyObject_CallMethod(G().numpy, "result_type", "(OO)", x.get(), y.get()));
  if (!type) {
    PyErr_Clear();
  } else if (FromDescr(reinterpret_cast<PyArray_Descr*>(type.get()),
                       &loop.out)) {
    loop.state = Loop::kNative;
  }
  return loop;
}

// NumPy's character of a type, with the types of equal size as one; 0 for types
// that we do not have.
char TypeCharacter(int number) {
  DType dtype;
  return FromTypeNumber(number, &dtype) ? TypeCode(dtype) : '\0';
}

// Runs a loop that forgets floating-point flags and keeps them.
void KeepFlags(char** args, const npy_intp* dimensions, const npy_intp* steps,
               void* data) {
  const auto* loop = static_cast<const runtime::InnerLoop*>(data);
  const uint8_t flags = TestFloatFlags();
  loop->fn(args, dimensions, steps, loop->data);
  if (__builtin_expect(flags != 0, false)) RaiseFloatFlags(flags);
}

// NumPy's comparisons, and some more loops, clear the flags at their end, those
// of the operations before them as well. Found out by a run over no element.
runtime::InnerLoop Keeping(const runtime::InnerLoop& loop) {
  alignas(64) char memory[NPY_MAXARGS][64] = {};
  char* args[NPY_MAXARGS];
  const npy_intp dimensions[8] = {};
  npy_intp steps[2 * NPY_MAXARGS];
  for (int i = 0; i < NPY_MAXARGS; ++i) args[i] = memory[i];
  std::fill(std::begin(steps), std::end(steps), 16);
  RaiseFloatFlags(kDivideFlag);
  loop.fn(args, dimensions, steps, loop.data);
  const bool keeps = (TestFloatFlags() & kDivideFlag) != 0;
  ClearFloatFlags();
  if (keeps) return loop;
  return {KeepFlags, new runtime::InnerLoop(loop)};
}

// Loops of generalised ufuncs look at the sizes of their lines even if there is
// no line: these are taken as they are.
void RegisterLoops(const char* ufunc_name, const PyUFuncObject* ufunc,
                   bool keep_flags = true) {
  for (int i = 0; i < ufunc->ntypes; ++i) {
    std::string name = ufunc_name;
    name += '.';
    bool known = ufunc->functions[i] != nullptr;
    for (int k = 0; k < ufunc->nargs; ++k) {
      const int number =
          static_cast<unsigned char>(ufunc->types[i * ufunc->nargs + k]);
      const char c = TypeCharacter(number);
      known &= c != '\0';
      if (k == ufunc->nin) name += "->";
      name += c;
    }
    if (!known) continue;
    // NumPy takes the first loop that fits; later ones are slower spares. It
    // lists `long` before `long long`.
    if (runtime::FindInnerLoop(name) != nullptr) continue;
    runtime::InnerLoop loop;
    loop.fn = reinterpret_cast<decltype(loop.fn)>(ufunc->functions[i]);
    loop.data = ufunc->data != nullptr ? ufunc->data[i] : nullptr;
    runtime::RegisterInnerLoop(std::move(name),
                               keep_flags ? Keeping(loop) : loop);
  }
}

// NumPy's functions on a dense line of elements, as loops: args[0] is the line,
// args[1] where indices go. They look at no array.
void SortLine(char** args, const int64_t* n, const int64_t*, void* data) {
  reinterpret_cast<PyArray_SortFunc*>(data)(args[0], *n, nullptr);
}
void ArgSortLine(char** args, const int64_t* n, const int64_t*, void* data) {
  reinterpret_cast<PyArray_ArgSortFunc*>(data)(
      args[0], reinterpret_cast<npy_intp*>(args[1]), *n, nullptr);
}
void ExtremeOfLine(char** args, const int64_t* n, const int64_t*, void* data) {
  reinterpret_cast<PyArray_ArgFunc*>(data)(
      args[0], *n, reinterpret_cast<npy_intp*>(args[1]), nullptr);
}

void RegisterArrayFunctions() {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    PyArray_ArrFuncs* functions = PyDataType_GetArrFuncs(ToDescr(dtype));
    const std::string in(2, TypeCode(dtype));
    const auto add = [&](const char* name, DType out, auto fn, auto function) {
      if (function == nullptr) return;
      runtime::InnerLoop loop;
      loop.fn = fn;
      loop.data = reinterpret_cast<void*>(function);
      runtime::RegisterInnerLoop(
          std::string(name) + "." + in + "->" + TypeCode(out), loop);
    };
    add("stable_sort", dtype, SortLine, functions->sort[NPY_STABLESORT]);
    add("stable_argsort", DType::kInt64, ArgSortLine,
        functions->argsort[NPY_STABLESORT]);
    add("argmax", DType::kInt64, ExtremeOfLine, functions->argmax);
    add("argmin", DType::kInt64, ExtremeOfLine, functions->argmin);
  }
}

// False with an error set.
bool RegisterTransforms() {
  PyRef module(PyImport_ImportModule("numpy.fft._pocketfft_umath"));
  if (!module) return false;
  for (const char* name :
       {"fft", "ifft", "irfft", "rfft_n_even", "rfft_n_odd"}) {
    PyRef ufunc(PyObject_GetAttrString(module.get(), name));
    if (!ufunc) return false;
    RegisterLoops(name, reinterpret_cast<PyUFuncObject*>(ufunc.get()),
                  /*keep_flags=*/false);
  }
  return true;
}

// NumPy has float_power of float32 in float64 only; its scalars have this.
void PowerOfFloats(char** args, const int64_t* n, const int64_t* steps, void*) {
  for (int64_t i = 0; i < *n; ++i) {
    float base, exponent;
    std::memcpy(&base, args[0] + i * steps[0], sizeof(base));
    std::memcpy(&exponent, args[1] + i * steps[1], sizeof(exponent));
    const float power = std::pow(base, exponent);
    std::memcpy(args[2] + i * steps[2], &power, sizeof(power));
  }
}

}  // namespace

PyObject* NumpyUfunc(OpCode op) { return Ufuncs()[static_cast<size_t>(op)]; }

std::optional<OpCode> OpOfUfunc(PyObject* ufunc) {
  static const auto* const ops = [] {
    auto* table = new absl::flat_hash_map<PyObject*, OpCode>;
    for (size_t i = 0; i < Ufuncs().size(); ++i) {
      if (Ufuncs()[i] != nullptr) {
        table->emplace(Ufuncs()[i], static_cast<OpCode>(i));
      }
    }
    return table;
  }();
  auto it = ops->find(ufunc);
  return it != ops->end() ? std::optional(it->second) : std::nullopt;
}

bool ConnectToNumpy() {
  for (int i = 0; i < ir::OpCount(); ++i) {
    const OpRow& row = ir::RowOf(static_cast<OpCode>(i));
    const bool elementwise = row.family == ir::Family::kElementwise;
    const char* name = elementwise ? row.numpy : row.loop;
    if (name[0] == '\0') continue;
    PyRef object(PyObject_GetAttrString(G().numpy, name));
    if (!object && elementwise) return false;
    if (!object) {
      PyErr_Clear();  // one of the array functions below
      continue;
    }
    if (Py_TYPE(object.get()) != &PyUFunc_Type) continue;
    RegisterLoops(name, reinterpret_cast<PyUFuncObject*>(object.get()));
    if (std::strcmp(name, row.numpy) != 0) continue;
    Ufuncs()[static_cast<size_t>(i)] = object.Release();
  }
  for (const runtime::vector_math::NamedLoop& own : runtime::VectorMath()) {
    runtime::RegisterInnerLoop(own.name, own.loop);
  }
  RegisterArrayFunctions();
  if (!RegisterTransforms()) return false;
  runtime::RegisterInnerLoop("float_power.ff->f", {PowerOfFloats});
  LoopTable::Get().SetResolvers(ResolveLoop, ResolveType);
  return true;
}

void RaiseNoLoop(OpCode op, const Operands& operands) {
  const Kind a = operands.operand[0].kind;
  PyRef types =
      AskNumpy(op, a, operands.count > 1 ? operands.operand[1].kind : a);
  if (types) {
    PyErr_SetString(PyExc_TypeError, "no loop for these types");
  }
}

}  // namespace fuseau::python
