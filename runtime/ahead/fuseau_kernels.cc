#include "runtime/ahead/fuseau_kernels.h"

#include <string>

#include "runtime/ahead/loops.h"
#include "runtime/ahead/program.h"

namespace {

thread_local std::string last_message;

int Report(const absl::Status& status) {
  if (status.ok()) return FUSEAU_OK;
  last_message = std::string(status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return FUSEAU_BAD_ARGUMENT;
    case absl::StatusCode::kResourceExhausted:
      return FUSEAU_NO_MEMORY;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      return FUSEAU_WRONG_MACHINE;
    default:
      return FUSEAU_INTERNAL_ERROR;
  }
}

fuseau::runtime::ProgramData* Data(fuseau_program* program) {
  return reinterpret_cast<fuseau::runtime::ProgramData*>(program);
}

}  // namespace

int fuseau_kernels_run(fuseau_program* program, const int64_t* sizes,
                       void* const* arguments, void* const* results) {
  fuseau::runtime::RegisterStandardLoops();
  return Report(
      fuseau::runtime::RunProgram(Data(program), sizes, arguments, results));
}

int fuseau_kernels_result_shape(fuseau_program* program, const int64_t* sizes,
                                int result, int64_t* shape) {
  fuseau::runtime::RegisterStandardLoops();
  return Report(
      fuseau::runtime::ShapeOfResult(Data(program), sizes, result, shape));
}

const char* fuseau_kernels_message(void) { return last_message.c_str(); }
