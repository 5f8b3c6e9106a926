#include "runtime/inner_loops.h"

#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace fuseau::runtime {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, InnerLoop, std::less<>> loops;
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

std::string NameOfInnerLoop(const InnerLoop* loop) {
  Registry& registry = GetRegistry();
  const std::lock_guard lock(registry.mutex);
  for (const auto& [name, known] : registry.loops) {
    if (&known == loop) return name;
  }
  return "";
}

}  // namespace fuseau::runtime
