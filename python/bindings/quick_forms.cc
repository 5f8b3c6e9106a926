#include "python/bindings/quick_forms.h"

#include <cstring>

namespace fuseau::python {

const QuickForm* FindQuickForm(const char* name) {
  for (absl::Span<const QuickForm> forms :
       {CreationForms(), ReductionForms(), LineForms(), LayoutForms()}) {
    for (const QuickForm& form : forms) {
      if (std::strcmp(form.name, name) == 0) return &form;
    }
  }
  return nullptr;
}

}  // namespace fuseau::python
