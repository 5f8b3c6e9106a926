// Parts of Abseil that libfuseau_kernels_runtime.a has instead of Abseil's own.
// Those keep variables of threads in a way that a shared library, into which a
// program may put the library, must not. (Nor may the runtime use Abseil's hash
// tables, which have such a variable too: merge.cmake would fail.)
#include <sys/syscall.h>
#include <unistd.h>

#include <limits>
#include <thread>

#include "absl/base/internal/sysinfo.h"
#include "absl/strings/internal/cordz_functions.h"

namespace absl {
ABSL_NAMESPACE_BEGIN

// Nothing is sampled for a profiler.
namespace cord_internal {

ABSL_CONST_INIT thread_local int64_t cordz_next_sample =
    std::numeric_limits<int64_t>::max();

bool cordz_should_profile_slow() { return false; }
void cordz_set_next_sample_for_testing(int64_t) {}
int32_t get_cordz_mean_interval() {
  return std::numeric_limits<int32_t>::max();
}
void set_cordz_mean_interval(int32_t) {}

}  // namespace cord_internal

namespace base_internal {

int NumCPUs() { return static_cast<int>(std::thread::hardware_concurrency()); }
// Only told to those who ask for cycles; 1.0 is Abseil's word for "unknown".
double NominalCPUFrequency() { return 1.0; }
pid_t GetTID() { return static_cast<pid_t>(syscall(SYS_gettid)); }
pid_t GetCachedTID() {
  static thread_local const pid_t id = GetTID();
  return id;
}

}  // namespace base_internal

ABSL_NAMESPACE_END
}  // namespace absl
