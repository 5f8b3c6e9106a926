#include "runtime/inner_loops.h"

#include <mutex>
#include <utility>

#include "absl/container/node_hash_map.h"

namespace fuseau::runtime {
namespace {

struct Registry {
  std::mutex mutex;
  absl::node_hash_map<std::string, InnerLoop> loops;
};

// Never destroyed: kernels may run while the process ends.
Registry& GetRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

}  // namespace

void RegisterInnerLoop(std::string name, InnerLoop loop) {
  Registry& registry = GetRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.loops[std::move(name)] = loop;
}

const InnerLoop* FindInnerLoop(absl::string_view name) {
  Registry& registry = GetRegistry();
  const std::lock_guard lock(registry.mutex);
  auto it = registry.loops.find(name);
  return it == registry.loops.end() ? nullptr : &it->second;
}

}  // namespace fuseau::runtime
