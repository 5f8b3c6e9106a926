#include "python/bindings/frames.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "frontend/host.h"
#include "frontend/journal.h"

namespace fuseau::python {
namespace {

// The line is looked up when it is asked for, since that takes longer.
struct Place {
  PyRef code;
  int instruction = 0;
};

int InstructionOf(PyFrameObject* frame) {
#if PY_VERSION_HEX >= 0x030B0000
  return PyFrame_GetLasti(frame);
#else
  PyRef number(
      PyObject_GetAttrString(reinterpret_cast<PyObject*>(frame), "f_lasti"));
  return number ? static_cast<int>(PyLong_AsLong(number.get())) : -1;
#endif
}

PyRef CodeOf(PyFrameObject* frame) {
  return PyRef(reinterpret_cast<PyObject*>(PyFrame_GetCode(frame)));
}

// A loop records from the same code again and again, so the answer is kept.
bool IsOurs(PyFrameObject* frame, const PyRef& code) {
  static auto* const last = new PyRef;
  static bool ours = false;
  if (last->get() != code.get()) {
    ours = python::IsOurs(frame);
    *last = PyRef(Py_NewRef(code.get()));
  }
  return ours;
}

Place Here() {
  PyRef frame(Py_XNewRef(reinterpret_cast<PyObject*>(PyEval_GetFrame())));
  while (frame) {
    auto* here = reinterpret_cast<PyFrameObject*>(frame.get());
    PyRef code = CodeOf(here);
    if (!IsOurs(here, code)) return {std::move(code), InstructionOf(here)};
    frame = PyRef(reinterpret_cast<PyObject*>(PyFrame_GetBack(here)));
  }
  return {};
}

std::vector<Place>& Places() {
  static auto* const places = new std::vector<Place>(Journal::kKept);
  return *places;
}

std::string TextOf(const Place& place) {
  if (!place.code) return "";
  auto* code = reinterpret_cast<PyCodeObject*>(place.code.get());
  const char* file = PyUnicode_AsUTF8(code->co_filename);
  if (file == nullptr) {
    PyErr_Clear();
    return "";
  }
  return absl::StrCat(file, ":", PyCode_Addr2Line(code, place.instruction));
}

}  // namespace

bool IsOurs(PyFrameObject* frame) {
  PyRef globals(
      PyObject_GetAttrString(reinterpret_cast<PyObject*>(frame), "f_globals"));
  if (!globals) return false;
  PyObject* name = PyDict_GetItemString(globals.get(), "__name__");
  const char* text = name != nullptr && PyUnicode_Check(name)
                         ? PyUnicode_AsUTF8(name)
                         : nullptr;
  return text != nullptr && (std::strcmp(text, "fuseau") == 0 ||
                             std::strncmp(text, "fuseau.", 7) == 0);
}

namespace {

// The lines of the program that were asked for. They stay until the process
// ends: a program has few.
struct Lines {
  absl::flat_hash_map<std::pair<PyObject*, int>, int32_t> numbers;
  std::vector<Place> places = std::vector<Place>(1);  // by number
};

Lines& TheLines() {
  static auto* const lines = new Lines;
  return *lines;
}

int32_t LineHere() {
  Place place = Here();
  if (!place.code) return 0;
  Lines& lines = TheLines();
  const auto [it, is_new] =
      lines.numbers.try_emplace({place.code.get(), place.instruction},
                                static_cast<int32_t>(lines.places.size()));
  if (is_new) lines.places.push_back(std::move(place));
  return it->second;
}

std::vector<std::string> TextsOfLines() {
  std::vector<std::string> texts;
  for (const Place& place : TheLines().places) texts.push_back(TextOf(place));
  return texts;
}

}  // namespace

void ConnectPlaces() {
  evaluation_host.line = LineHere;
  evaluation_host.lines = TextsOfLines;
  evaluation_host.note_place = [](int64_t slot) {
    Places()[static_cast<size_t>(slot)] = Here();
  };
  evaluation_host.place = [](int64_t slot) {
    return slot < 0 ? TextOf(Here())
                    : TextOf(Places()[static_cast<size_t>(slot)]);
  };
}

}  // namespace fuseau::python
