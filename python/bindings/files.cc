#include "python/bindings/files.h"

#include <pybind11/pybind11.h>
#include <zlib.h>

#include <string>

#include "frontend/array_files.h"
#include "frontend/ranks.h"
#include "python/bindings/arguments.h"
#include "python/bindings/array_object.h"
#include "python/bindings/throw_status.h"
#include "runtime/base/status.h"

namespace fuseau::python {
namespace {

namespace py = pybind11;
using py::literals::operator""_a;

const Array& ArrayIn(const py::object& object) {
  if (!IsArray(object.ptr())) throw py::type_error("not a fuseau array");
  return ArrayOf(object.ptr());
}

bool IsLarge(int64_t bytes) {
  const Ranks* ranks = Ranks::active();
  return ranks != nullptr && bytes > 0 && ranks->IsLarge(bytes);
}

bool InParts(const py::object& object) {
  if (Ranks::active() == nullptr) return false;
  const absl::StatusOr<bool> in_parts = IsInParts(ArrayIn(object));
  Check(in_parts.status());
  return *in_parts;
}

uint32_t Store(const py::object& object, const py::bytes& path, int64_t offset,
               bool checksum) {
  const auto sum = StoreArray(ArrayIn(object),
                              FilePlace{std::string(path), offset, checksum});
  Check(sum.status());
  return *sum;
}

py::tuple Load(const py::object& shape, const py::object& dtype,
               bool fortran_order, const py::bytes& path, int64_t offset,
               bool checksum) {
  Dims dims;
  DType type;
  if (!ToShape(shape.ptr(), &dims) || !ToDType(dtype.ptr(), &type)) {
    throw py::error_already_set();
  }
  auto object = py::reinterpret_steal<py::object>(NewArrayObject());
  if (!object) throw py::error_already_set();
  const auto sum = LoadArray(dims, type, fortran_order,
                             FilePlace{std::string(path), offset, checksum},
                             &ArrayOf(object.ptr()));
  Check(sum.status());
  return py::make_tuple(std::move(object), *sum);
}

void Agree(const std::string& exception, const std::string& message) {
  Check(AgreeOnRanks(exception.empty() ? absl::OkStatus()
                                       : PythonError(exception, message)));
}

py::bytes Share(const py::bytes& mine) {
  const absl::StatusOr<std::string> first = ShareOnRanks(std::string(mine));
  Check(first.status());
  return py::bytes(*first);
}

uint32_t CombineChecksums(uint32_t first, uint32_t second, int64_t bytes) {
  return static_cast<uint32_t>(crc32_combine(first, second, bytes));
}

}  // namespace

bool AddFiles(PyObject* object) {
  try {
    py::module_ module = py::reinterpret_borrow<py::module_>(object);
    module.def("is_large", &IsLarge,
               "Whether there is a job whose ranks would share an array of so "
               "many bytes.");
    module.def("in_parts", &InParts,
               "Computes an array and tells whether the ranks of the job have "
               "all of its value in parts.");
    module.def("store_parts", &Store, "array"_a, "path"_a, "offset"_a,
               "checksum"_a = false,
               "Every rank writes its part of an array that is in parts to a "
               "file. Returns the CRC-32 of all bytes, 0 if not asked for.");
    module.def("load_parts", &Load, "shape"_a, "dtype"_a, "fortran_order"_a,
               "path"_a, "offset"_a, "checksum"_a = false,
               "Makes an array in parts that every rank reads its part of. "
               "Returns it and the CRC-32 of all bytes, 0 if not asked for.");
    module.def("agree_on_ranks", &Agree, "exception"_a = "", "message"_a = "",
               "Where all ranks run the program: they come together, and the "
               "exception that one names (of Python's own) is one of all.");
    module.def("share_on_ranks", &Share, "mine"_a,
               "Where all ranks run the program: what the first rank gives; "
               "else what is given.");
    module.def("combine_checksums", &CombineChecksums,
               "The CRC-32 of bytes that are followed by so many others, of "
               "which it is the second.");
    return true;
  } catch (py::error_already_set& error) {
    error.restore();
    return false;
  }
}

}  // namespace fuseau::python
