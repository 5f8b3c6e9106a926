// Error handling: absl::Status in all C++ and checks of broken invariants.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace fuseau {

// The payload that names the Python exception of a status, for those that the
// status code alone does not tell (TypeError, AxisError, ...).
inline constexpr char kPythonExceptionUrl[] = "fuseau/python_exception";

inline absl::Status PythonError(absl::string_view exception,
                                absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kPythonExceptionUrl, absl::Cord(exception));
  return status;
}

[[noreturn]] inline void CheckFailed(const char* file, int line,
                                     const char* what) {
  std::fprintf(stderr, "fuseau: internal error at %s:%d: %s\n", file, line,
               what);
  std::abort();
}

}  // namespace fuseau

#define FUSEAU_CHECK(condition)                                              \
  do {                                                                       \
    if (!(condition)) ::fuseau::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

#define FUSEAU_RETURN_IF_ERROR(expression)                                  \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

#define FUSEAU_CONCAT_INNER(a, b) a##b
#define FUSEAU_CONCAT(a, b) FUSEAU_CONCAT_INNER(a, b)
#define FUSEAU_ASSIGN_OR_RETURN(declaration, expression)           \
  FUSEAU_ASSIGN_OR_RETURN_IMPL(FUSEAU_CONCAT(statusor_, __LINE__), \
                               declaration, expression)
#define FUSEAU_ASSIGN_OR_RETURN_IMPL(name, declaration, expression) \
  auto name = (expression);                                         \
  if (!name.ok()) return name.status();                             \
  declaration = *std::move(name)
