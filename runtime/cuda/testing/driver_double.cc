// A test double of CUDA's driver: the functions of api.h on processors. Streams
// are threads, memory is guarded (double_memory.h), what is wrongly used ends
// the process with a sentence, and any call can be made to fail.
#include "runtime/cuda/testing/driver_double.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/cuda/api.h"
#include "runtime/cuda/testing/double_memory.h"
#include "runtime/cuda/testing/double_module.h"
#include "runtime/cuda/testing/double_stream.h"

namespace fuseau::runtime::cuda {

struct CUctx_st {
  int device = 0;
  int users = 0;
};
struct CUstream_st {
  CUstream_st(int its_device, const std::atomic<int>* delay_us)
      : device(its_device), stream(delay_us) {}
  int device;
  testing::DoubleStream stream;
};
struct CUevent_st : testing::DoubleEvent {};
struct CUfunc_st : testing::DoubleFunction {};
struct CUmod_st {
  std::unique_ptr<testing::DoubleModule> module;
  std::vector<std::unique_ptr<CUfunc_st>> functions;
};

namespace testing {
namespace {

constexpr int kMaxDevices = 8;
using Operation = std::function<void()>;

}  // namespace
}  // namespace testing

struct CUgraphNode_st {
  testing::Operation operation;
  std::vector<CUgraphNode> after;
};
struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};
struct CUgraphExec_st {
  std::vector<CUgraphNode> order;
  std::map<CUgraphNode, testing::Operation> operations;
};

namespace testing {
namespace {

// Everything that exists, so that what is left over can be told. Never
// destroyed: streams may still be in use when the process ends.
struct State {
  std::mutex mutex;
  int devices = 1;
  int version = 13000;
  size_t memory = size_t{256} << 20;
  std::atomic<int> delay_us{0};
  bool ignore_waits = false;
  bool ignore_edges = false;
  std::string fail_name;
  long fail_at = 0;
  int fail_with = 0;
  std::map<std::string, long> calls;
  CUctx_st contexts[kMaxDevices];
  std::set<void*> host_blocks;
  std::set<CUstream> streams;
  std::set<CUevent> events;
  std::set<CUmodule> modules;
  std::set<CUgraph> graphs;
  std::set<CUgraphExec> execs;
};
State& Get() {
  static auto* const state = new State;
  return *state;
}
DoubleMemory& Memory() {
  static auto* const memory = new DoubleMemory;
  return *memory;
}
thread_local CUcontext current = nullptr;

void Set(const std::string& name, const std::string& value) {
  State& s = Get();
  const std::lock_guard lock(s.mutex);
  if (name == "DEVICES") {
    s.devices = std::min(std::atoi(value.c_str()), kMaxDevices);
  } else if (name == "MEMORY") {
    s.memory = static_cast<size_t>(std::atoll(value.c_str()));
  } else if (name == "VERSION") {
    s.version = std::atoi(value.c_str());
  } else if (name == "DELAY_US") {
    s.delay_us = std::atoi(value.c_str());
  } else if (name == "IGNORE") {
    s.ignore_waits = value == "waits";
    s.ignore_edges = value == "edges";
  } else if (name == "FAIL") {
    const size_t colon = value.find(':');
    s.fail_name = value.substr(0, colon);
    s.fail_at = 0;
    s.fail_with = 0;
    if (colon == std::string::npos) return;
    char* end = nullptr;
    s.fail_at =
        s.calls[s.fail_name] + std::strtol(value.c_str() + colon + 1, &end, 10);
    if (*end == ':') s.fail_with = std::atoi(end + 1);
  } else {
    Complain("there is no setting %s", name.c_str());
  }
}

void ReadEnvironment() {
  for (const char* name :
       {"DEVICES", "MEMORY", "VERSION", "DELAY_US", "FAIL", "IGNORE"})
    if (const char* value =
            std::getenv((std::string("FUSEAU_DOUBLE_") + name).c_str()))
      Set(name, value);
}

bool IsAllocation(const std::string& function) {
  return function == "cuMemAlloc" || function == "cuMemHostAlloc";
}

// To be called first in each function: counts, and fails where it is told to.
CUresult Enter(const char* function) {
  State& s = Get();
  const std::lock_guard lock(s.mutex);
  const long calls = ++s.calls[function];
  if (s.fail_name != function || calls != s.fail_at) return CUDA_SUCCESS;
  if (s.fail_with != 0) return static_cast<CUresult>(s.fail_with);
  return IsAllocation(function) ? CUDA_ERROR_OUT_OF_MEMORY
                                : CUDA_ERROR_LAUNCH_FAILED;
}
// The same for what needs a context.
CUresult EnterContext(const char* function) {
  if (const CUresult failed = Enter(function)) return failed;
  if (current == nullptr || current->users == 0)
    return CUDA_ERROR_INVALID_CONTEXT;
  return CUDA_SUCCESS;
}

template <typename T>
void Note(std::set<T> State::* set, T object) {
  const std::lock_guard lock(Get().mutex);
  (Get().*set).insert(object);
}
// Ends the process if there is no such object.
template <typename T>
void Forget(std::set<T> State::* set, T object, const char* what) {
  const std::lock_guard lock(Get().mutex);
  if ((Get().*set).erase(object) == 0)
    Complain("%s of %p, which does not exist", what, object);
}
template <typename T>
void Demand(std::set<T> State::* set, T object, const char* what) {
  const std::lock_guard lock(Get().mutex);
  if ((Get().*set).count(object) == 0)
    Complain("%s of %p, which does not exist", what, object);
}

void Add(CUstream stream, const char* what, Operation operation) {
  Demand(&State::streams, stream, what);
  stream->stream.Add(std::move(operation));
}

char* At(CUdeviceptr address) { return reinterpret_cast<char*>(address); }

Operation MemsetOf(CUdeviceptr to, unsigned value, int size, size_t count) {
  return [=] {
    Memory().Find(At(to), count * size, "a memset");
    for (size_t i = 0; i < count; ++i)
      std::memcpy(At(to) + i * size, &value, size);
  };
}

Operation CopyOf(const CUDA_MEMCPY3D& c) {
  if (c.srcMemoryType != CU_MEMORYTYPE_DEVICE ||
      c.dstMemoryType != CU_MEMORYTYPE_DEVICE)
    Complain("cuMemcpy3D is only known between devices");
  return [c] {
    for (size_t z = 0; z < c.Depth; ++z) {
      for (size_t y = 0; y < c.Height; ++y) {
        const char* from = At(c.srcDevice) + c.srcXInBytes +
                           (z * c.srcHeight + y) * c.srcPitch;
        char* to = At(c.dstDevice) + c.dstXInBytes +
                   (z * c.dstHeight + y) * c.dstPitch;
        const int a = Memory().Find(from, c.WidthInBytes, "a copy");
        const int b = Memory().Find(to, c.WidthInBytes, "a copy");
        if (a != b) Complain("cuMemcpy3D between devices %d and %d", a, b);
        std::memmove(to, from, c.WidthInBytes);
      }
    }
  };
}

// The parameters of a launch, copied as a driver does.
Operation LaunchOf(CUfunction function, const LaunchGrid& grid, void** extra) {
  if (extra == nullptr || extra[0] != CU_LAUNCH_PARAM_BUFFER_POINTER ||
      extra[2] != CU_LAUNCH_PARAM_BUFFER_SIZE || extra[4] != nullptr)
    Complain("a launch without a block of parameters");
  const size_t bytes = *static_cast<const size_t*>(extra[3]);
  std::vector<int64_t> block(bytes / 8);
  std::memcpy(block.data(), extra[1], bytes);
  return [function, grid, block = std::move(block)]() mutable {
    function->Run(grid, &block);
  };
}

CUresult AddNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* after,
                 size_t count, Operation operation) {
  Demand(&State::graphs, graph, "a node");
  auto made = std::make_unique<CUgraphNode_st>();
  made->operation = std::move(operation);
  if (!Get().ignore_edges) made->after.assign(after, after + count);
  *node = made.get();
  graph->nodes.push_back(std::move(made));
  return CUDA_SUCCESS;
}

CUresult SetNode(CUgraphExec exec, CUgraphNode node, Operation operation) {
  Demand(&State::execs, exec, "an update");
  const auto it = exec->operations.find(node);
  if (it == exec->operations.end()) return CUDA_ERROR_INVALID_VALUE;
  it->second = std::move(operation);
  return CUDA_SUCCESS;
}

#define FUSEAU_ENTER(name)                                   \
  do {                                                       \
    if (const CUresult failed = Enter(#name)) return failed; \
  } while (false)
#define FUSEAU_ENTER_CONTEXT(name)                                  \
  do {                                                              \
    if (const CUresult failed = EnterContext(#name)) return failed; \
  } while (false)

CUresult cuInit(unsigned) {
  static const bool once = [] {
    ReadEnvironment();
    return true;
  }();
  (void)once;
  FUSEAU_ENTER(cuInit);
  return CUDA_SUCCESS;
}
CUresult cuDriverGetVersion(int* version) {
  FUSEAU_ENTER(cuDriverGetVersion);
  *version = Get().version;
  return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult error, const char** name) {
  switch (error) {
    case CUDA_ERROR_OUT_OF_MEMORY:
      *name = "CUDA_ERROR_OUT_OF_MEMORY";
      break;
    case CUDA_ERROR_LAUNCH_FAILED:
      *name = "CUDA_ERROR_LAUNCH_FAILED";
      break;
    default:
      *name = "an error of the double";
  }
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int* count) {
  FUSEAU_ENTER(cuDeviceGetCount);
  *count = Get().devices;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  FUSEAU_ENTER(cuDeviceGet);
  if (ordinal < 0 || ordinal >= Get().devices) return CUDA_ERROR_INVALID_VALUE;
  *device = ordinal;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  FUSEAU_ENTER(cuDeviceGetName);
  std::snprintf(name, length, "Driver Double %d", device);
  return CUDA_SUCCESS;
}
CUresult cuDeviceTotalMem(size_t* bytes, CUdevice) {
  FUSEAU_ENTER(cuDeviceTotalMem);
  *bytes = Get().memory;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute,
                              CUdevice) {
  FUSEAU_ENTER(cuDeviceGetAttribute);
  switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      *value = 3;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
      *value = 9;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      *value = 0;
      return CUDA_SUCCESS;
  }
  return CUDA_ERROR_INVALID_VALUE;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  FUSEAU_ENTER(cuDevicePrimaryCtxRetain);
  CUctx_st& c = Get().contexts[device];
  c.device = device;
  ++c.users;
  *context = &c;
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease(CUdevice device) {
  FUSEAU_ENTER(cuDevicePrimaryCtxRelease);
  --Get().contexts[device].users;
  return CUDA_SUCCESS;
}
CUresult cuCtxSetCurrent(CUcontext context) {
  FUSEAU_ENTER(cuCtxSetCurrent);
  current = context;
  return CUDA_SUCCESS;
}
CUresult cuMemAlloc(CUdeviceptr* address, size_t bytes) {
  FUSEAU_ENTER_CONTEXT(cuMemAlloc);
  void* made = Memory().Allocate(current->device, bytes, Get().memory);
  *address = reinterpret_cast<CUdeviceptr>(made);
  return made != nullptr ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}
CUresult cuMemFree(CUdeviceptr address) {
  FUSEAU_ENTER_CONTEXT(cuMemFree);
  Memory().Free(At(address));
  return CUDA_SUCCESS;
}
CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned) {
  FUSEAU_ENTER_CONTEXT(cuMemHostAlloc);
  *address = std::malloc(bytes);
  if (*address == nullptr) return CUDA_ERROR_OUT_OF_MEMORY;
  Note(&State::host_blocks, *address);
  return CUDA_SUCCESS;
}
CUresult cuMemFreeHost(void* address) {
  FUSEAU_ENTER_CONTEXT(cuMemFreeHost);
  Forget(&State::host_blocks, address, "cuMemFreeHost");
  std::free(address);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void* from, size_t bytes,
                           CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuMemcpyHtoDAsync);
  Add(stream, "cuMemcpyHtoDAsync", [=] {
    Memory().Find(At(to), bytes, "an upload");
    std::memcpy(At(to), from, bytes);
  });
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr from, size_t bytes,
                           CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuMemcpyDtoHAsync);
  Add(stream, "cuMemcpyDtoHAsync", [=] {
    Memory().Find(At(from), bytes, "a download");
    std::memcpy(to, At(from), bytes);
  });
  return CUDA_SUCCESS;
}
CUresult cuMemcpy3DAsync(const CUDA_MEMCPY3D* copy, CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuMemcpy3DAsync);
  Add(stream, "cuMemcpy3DAsync", CopyOf(*copy));
  return CUDA_SUCCESS;
}
CUresult cuMemcpyPeerAsync(CUdeviceptr to, CUcontext to_context,
                           CUdeviceptr from, CUcontext from_context,
                           size_t bytes, CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuMemcpyPeerAsync);
  Add(stream, "cuMemcpyPeerAsync", [=] {
    if (Memory().Find(At(to), bytes, "a peer copy") != to_context->device ||
        Memory().Find(At(from), bytes, "a peer copy") != from_context->device)
      Complain("a peer copy with addresses of other devices");
    std::memcpy(At(to), At(from), bytes);
  });
  return CUDA_SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t count,
                         CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuMemsetD8Async);
  Add(stream, "cuMemsetD8Async", MemsetOf(to, value, 1, count));
  return CUDA_SUCCESS;
}
CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, size_t count,
                          CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuMemsetD16Async);
  Add(stream, "cuMemsetD16Async", MemsetOf(to, value, 2, count));
  return CUDA_SUCCESS;
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t count,
                          CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuMemsetD32Async);
  Add(stream, "cuMemsetD32Async", MemsetOf(to, value, 4, count));
  return CUDA_SUCCESS;
}
CUresult cuStreamCreate(CUstream* stream, unsigned) {
  FUSEAU_ENTER_CONTEXT(cuStreamCreate);
  *stream = new CUstream_st(current->device, &Get().delay_us);
  Note(&State::streams, *stream);
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy(CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuStreamDestroy);
  Forget(&State::streams, stream, "cuStreamDestroy");
  delete stream;
  return CUDA_SUCCESS;
}
CUresult cuStreamSynchronize(CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuStreamSynchronize);
  Demand(&State::streams, stream, "cuStreamSynchronize");
  stream->stream.Synchronize();
  return CUDA_SUCCESS;
}
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  FUSEAU_ENTER_CONTEXT(cuStreamWaitEvent);
  Demand(&State::events, event, "cuStreamWaitEvent");
  if (event->moment == nullptr || Get().ignore_waits) return CUDA_SUCCESS;
  Add(stream, "cuStreamWaitEvent",
      [moment = event->moment] { moment->Wait(); });
  return CUDA_SUCCESS;
}
CUresult cuEventCreate(CUevent* event, unsigned) {
  FUSEAU_ENTER_CONTEXT(cuEventCreate);
  *event = new CUevent_st;
  Note(&State::events, *event);
  return CUDA_SUCCESS;
}
CUresult cuEventDestroy(CUevent event) {
  FUSEAU_ENTER_CONTEXT(cuEventDestroy);
  Forget(&State::events, event, "cuEventDestroy");
  delete event;
  return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuEventRecord);
  Demand(&State::events, event, "cuEventRecord");
  event->moment = std::make_shared<Moment>();
  Add(stream, "cuEventRecord", [moment = event->moment] { moment->Reach(); });
  return CUDA_SUCCESS;
}
CUresult cuEventSynchronize(CUevent event) {
  FUSEAU_ENTER_CONTEXT(cuEventSynchronize);
  Demand(&State::events, event, "cuEventSynchronize");
  if (event->moment != nullptr) event->moment->Wait();
  return CUDA_SUCCESS;
}
CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  FUSEAU_ENTER_CONTEXT(cuModuleLoadData);
  auto loaded = DoubleModule::Load(static_cast<const char*>(image));
  if (loaded == nullptr) return CUDA_ERROR_INVALID_IMAGE;
  *module = new CUmod_st{std::move(loaded), {}};
  Note(&State::modules, *module);
  return CUDA_SUCCESS;
}
CUresult cuModuleUnload(CUmodule module) {
  FUSEAU_ENTER_CONTEXT(cuModuleUnload);
  Forget(&State::modules, module, "cuModuleUnload");
  delete module;
  return CUDA_SUCCESS;
}
CUresult cuModuleGetFunction(CUfunction* function, CUmodule module,
                             const char* name) {
  FUSEAU_ENTER_CONTEXT(cuModuleGetFunction);
  Demand(&State::modules, module, "cuModuleGetFunction");
  auto made = std::make_unique<CUfunc_st>();
  if (!module->module->Find(name, made.get())) return CUDA_ERROR_NOT_FOUND;
  *function = made.get();
  module->functions.push_back(std::move(made));
  return CUDA_SUCCESS;
}
CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int) {
  FUSEAU_ENTER_CONTEXT(cuFuncSetAttribute);
  return CUDA_SUCCESS;
}
CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                        unsigned grid_z, unsigned block_x, unsigned block_y,
                        unsigned block_z, unsigned shared_bytes,
                        CUstream stream, void**, void** extra) {
  FUSEAU_ENTER_CONTEXT(cuLaunchKernel);
  Add(stream, "cuLaunchKernel",
      LaunchOf(
          function,
          {{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes},
          extra));
  return CUDA_SUCCESS;
}
CUresult cuGraphCreate(CUgraph* graph, unsigned) {
  FUSEAU_ENTER_CONTEXT(cuGraphCreate);
  *graph = new CUgraph_st;
  Note(&State::graphs, *graph);
  return CUDA_SUCCESS;
}
CUresult cuGraphDestroy(CUgraph graph) {
  FUSEAU_ENTER_CONTEXT(cuGraphDestroy);
  Forget(&State::graphs, graph, "cuGraphDestroy");
  delete graph;
  return CUDA_SUCCESS;
}

Operation LaunchOf(const CUDA_KERNEL_NODE_PARAMS& p) {
  return LaunchOf(p.func,
                  {{p.gridDimX, p.gridDimY, p.gridDimZ},
                   {p.blockDimX, p.blockDimY, p.blockDimZ},
                   p.sharedMemBytes},
                  p.extra);
}
Operation MemsetOf(const CUDA_MEMSET_NODE_PARAMS& p) {
  if (p.height != 1) Complain("a memset of %zu rows", p.height);
  return MemsetOf(p.dst, p.value, static_cast<int>(p.elementSize), p.width);
}

CUresult cuGraphAddKernelNode(CUgraphNode* node, CUgraph graph,
                              const CUgraphNode* after, size_t count,
                              const CUDA_KERNEL_NODE_PARAMS* parameters) {
  FUSEAU_ENTER_CONTEXT(cuGraphAddKernelNode);
  return AddNode(node, graph, after, count, LaunchOf(*parameters));
}
CUresult cuGraphAddMemsetNode(CUgraphNode* node, CUgraph graph,
                              const CUgraphNode* after, size_t count,
                              const CUDA_MEMSET_NODE_PARAMS* parameters,
                              CUcontext) {
  FUSEAU_ENTER_CONTEXT(cuGraphAddMemsetNode);
  return AddNode(node, graph, after, count, MemsetOf(*parameters));
}
CUresult cuGraphAddMemcpyNode(CUgraphNode* node, CUgraph graph,
                              const CUgraphNode* after, size_t count,
                              const CUDA_MEMCPY3D* copy, CUcontext) {
  FUSEAU_ENTER_CONTEXT(cuGraphAddMemcpyNode);
  return AddNode(node, graph, after, count, CopyOf(*copy));
}
// Of the orders that the dependencies allow, one that has later nodes as early
// as it can: a dependency that is missing shows.
CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph,
                                     unsigned long long) {
  FUSEAU_ENTER_CONTEXT(cuGraphInstantiateWithFlags);
  Demand(&State::graphs, graph, "cuGraphInstantiate");
  auto made = std::make_unique<CUgraphExec_st>();
  std::vector<CUgraphNode> left;
  for (const auto& node : graph->nodes) left.push_back(node.get());
  while (!left.empty()) {
    const size_t before = left.size();
    for (size_t i = left.size(); i-- > 0;) {
      bool ready = true;
      for (CUgraphNode earlier : left[i]->after)
        ready &= made->operations.count(earlier) == 1;
      if (!ready) continue;
      made->order.push_back(left[i]);
      made->operations[left[i]] = left[i]->operation;
      left.erase(left.begin() + static_cast<ptrdiff_t>(i));
      break;
    }
    if (left.size() == before) return CUDA_ERROR_INVALID_VALUE;
  }
  *exec = made.release();
  Note(&State::execs, *exec);
  return CUDA_SUCCESS;
}
CUresult cuGraphExecDestroy(CUgraphExec exec) {
  FUSEAU_ENTER_CONTEXT(cuGraphExecDestroy);
  Forget(&State::execs, exec, "cuGraphExecDestroy");
  delete exec;
  return CUDA_SUCCESS;
}
CUresult cuGraphExecKernelNodeSetParams(
    CUgraphExec exec, CUgraphNode node,
    const CUDA_KERNEL_NODE_PARAMS* parameters) {
  FUSEAU_ENTER_CONTEXT(cuGraphExecKernelNodeSetParams);
  return SetNode(exec, node, LaunchOf(*parameters));
}
CUresult cuGraphExecMemsetNodeSetParams(
    CUgraphExec exec, CUgraphNode node,
    const CUDA_MEMSET_NODE_PARAMS* parameters, CUcontext) {
  FUSEAU_ENTER_CONTEXT(cuGraphExecMemsetNodeSetParams);
  return SetNode(exec, node, MemsetOf(*parameters));
}
CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                        const CUDA_MEMCPY3D* copy, CUcontext) {
  FUSEAU_ENTER_CONTEXT(cuGraphExecMemcpyNodeSetParams);
  return SetNode(exec, node, CopyOf(*copy));
}
CUresult cuGraphLaunch(CUgraphExec exec, CUstream stream) {
  FUSEAU_ENTER_CONTEXT(cuGraphLaunch);
  Demand(&State::execs, exec, "cuGraphLaunch");
  std::vector<Operation> operations;
  for (CUgraphNode node : exec->order)
    operations.push_back(exec->operations[node]);
  Add(stream, "cuGraphLaunch", [operations = std::move(operations)] {
    for (const Operation& operation : operations) operation();
  });
  return CUDA_SUCCESS;
}

const std::map<std::string, void*>& Functions() {
  static const auto* const functions = new std::map<std::string, void*>{
#define FUSEAU_ROW(name, version, parameters) \
  {#name, reinterpret_cast<void*>(&name)},
      FUSEAU_CUDA_FUNCTIONS(FUSEAU_ROW)
#undef FUSEAU_ROW
  };
  return *functions;
}

void AddCount(size_t n, const char* what, std::string* text) {
  if (n == 0) return;
  if (!text->empty()) *text += ", ";
  *text += std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace
}  // namespace testing
}  // namespace fuseau::runtime::cuda

#define FUSEAU_EXPORT extern "C" __attribute__((visibility("default")))

FUSEAU_EXPORT int cuGetProcAddress_v2(const char* name, void** address, int,
                                      uint64_t, int*) {
  const auto& functions = fuseau::runtime::cuda::testing::Functions();
  const auto it = functions.find(name);
  *address = it == functions.end() ? nullptr : it->second;
  return it == functions.end() ? fuseau::runtime::cuda::CUDA_ERROR_NOT_FOUND
                               : fuseau::runtime::cuda::CUDA_SUCCESS;
}

FUSEAU_EXPORT void fuseau_double_set(const char* name, const char* value) {
  fuseau::runtime::cuda::testing::Set(name, value);
}

FUSEAU_EXPORT const char* fuseau_double_live() {
  using namespace fuseau::runtime::cuda::testing;  // NOLINT: a C function
  static std::string text;
  State& s = Get();
  const size_t blocks = Memory().live();
  const std::lock_guard lock(s.mutex);
  size_t contexts = 0;
  for (const auto& c : s.contexts) contexts += c.users != 0;
  text.clear();
  AddCount(blocks, "allocation", &text);
  AddCount(s.host_blocks.size(), "pinned block", &text);
  AddCount(s.streams.size(), "stream", &text);
  AddCount(s.events.size(), "event", &text);
  AddCount(s.modules.size(), "module", &text);
  AddCount(s.graphs.size(), "graph", &text);
  AddCount(s.execs.size(), "executable graph", &text);
  AddCount(contexts, "context", &text);
  return text.c_str();
}

FUSEAU_EXPORT long fuseau_double_calls(const char* function) {
  using namespace fuseau::runtime::cuda::testing;  // NOLINT: a C function
  const std::lock_guard lock(Get().mutex);
  return Get().calls[function];
}
