// Calls of NumPy's functions that need no Python code.
//
// A form takes the calls that programs make most: native arrays, few of the
// other arguments. It leaves any call whose answer takes more thought, errors
// included, to the function in Python, so it must be sure of its case before
// anything is recorded.
#pragma once

#include "absl/types/span.h"
#include "python/bindings/python.h"

namespace fuseau::python {

struct QuickForm {
  static constexpr int kMaxParameters = 5;

  const char* name;  // the function's
  // NumPy's parameters in their order; those that a form gives no name are
  // passed by place alone.
  const char* parameters[kMaxParameters];
  int count;     // of parameters
  int required;  // so many of them are always given
  // `arguments` has one for each parameter, null where none is given. Null
  // without an error: not a call of this form, and nothing was done.
  PyObject* (*call)(PyObject* const* arguments);
};

// Null if the function has none.
const QuickForm* FindQuickForm(const char* name);

// The forms by topic.
absl::Span<const QuickForm> CreationForms();
absl::Span<const QuickForm> ReductionForms();
absl::Span<const QuickForm> LineForms();    // along an axis, at indices
absl::Span<const QuickForm> LayoutForms();  // views and joins

}  // namespace fuseau::python
