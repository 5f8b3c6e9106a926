// Reads at index arrays and masks.
#pragma once

#include "absl/types/span.h"
#include "frontend/views.h"
#include "python/bindings/python.h"

namespace fuseau::python {

// a[items], where some items are indices of other kinds: `objects` has them at
// their places and null elsewhere. A full slice stands in their place among
// `items`. False, without an error, for what is left to NumPy; else `*result`
// is the array, or null with an error set.
bool ReadAdvanced(PyObject* self, absl::Span<const IndexItem> items,
                  absl::Span<PyObject* const> objects, PyObject** result);

// The same for self[items] = value, done at once; `*done` is then 0, or -1 with
// an error set.
bool WriteAdvanced(PyObject* self, absl::Span<const IndexItem> items,
                   absl::Span<PyObject* const> objects, PyObject* value,
                   int* done);

// Functions of the module: take, compress, nonzero.
PyObject* TakeFunction(PyObject* module, PyObject* args);
PyObject* CompressFunction(PyObject* module, PyObject* args);
PyObject* NonzeroFunction(PyObject* module, PyObject* mask);

}  // namespace fuseau::python
