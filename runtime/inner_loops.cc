#include "runtime/inner_loops.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/node_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace fuseau::runtime {
namespace {

struct Registry {
  absl::Mutex mutex;
  absl::node_hash_map<std::string, InnerLoop> loops ABSL_GUARDED_BY(mutex);
};

// Never destroyed: kernels may run while the process ends.
Registry& GetRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

}  // namespace

void RegisterInnerLoop(std::string name, InnerLoop loop) {
  Registry& registry = GetRegistry();
  absl::MutexLock lock(&registry.mutex);
  registry.loops[std::move(name)] = loop;
}

const InnerLoop* FindInnerLoop(absl::string_view name) {
  Registry& registry = GetRegistry();
  absl::MutexLock lock(&registry.mutex);
  auto it = registry.loops.find(name);
  return it == registry.loops.end() ? nullptr : &it->second;
}

}  // namespace fuseau::runtime
