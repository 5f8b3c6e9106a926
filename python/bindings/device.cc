#include "python/bindings/device.h"

#include <string>

#include "frontend/device.h"

namespace fuseau::python {
namespace {

PyObject* TextOf(absl::string_view text) {
  return PyUnicode_FromStringAndSize(text.data(),
                                     static_cast<Py_ssize_t>(text.size()));
}

// set_device(name) -> the name before. None is the device of the process.
PyObject* SetDevice(PyObject*, PyObject* name) {
  DeviceMode mode = DeviceMode::kOfProcess;
  if (name != Py_None) {
    const char* text = PyUnicode_AsUTF8(name);
    if (text == nullptr) return nullptr;
    const absl::StatusOr<DeviceMode> found = FindDeviceMode(text);
    if (!found.ok()) return Raise(found.status());
    mode = *found;
  }
  const DeviceMode before = device_of_thread;
  device_of_thread = mode;
  if (before == DeviceMode::kOfProcess) return Py_NewRef(Py_None);
  return TextOf(Name(before));
}

// The device of threads that have none of their own.
PyObject* SetProcessDevice(PyObject*, PyObject* name) {
  const char* text = PyUnicode_AsUTF8(name);
  if (text == nullptr) return nullptr;
  const absl::StatusOr<DeviceMode> found = FindDeviceMode(text);
  if (!found.ok()) return Raise(found.status());
  device_of_process = *found;
  Py_RETURN_NONE;
}

PyObject* Describe(PyObject*, PyObject*) { return TextOf(DescribeDevices()); }

PyMethodDef methods[] = {
    {"set_device", SetDevice, METH_O, nullptr},
    {"set_process_device", SetProcessDevice, METH_O, nullptr},
    {"describe_devices", Describe, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

bool AddDevices(PyObject* module) {
  return PyModule_AddFunctions(module, methods) == 0;
}

}  // namespace fuseau::python
