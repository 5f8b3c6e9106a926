#include "runtime/cuda/batch.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau::runtime::cuda {
namespace {

// A kernel's parameters as the driver wants them. Points into the operation.
struct Parameters {
  explicit Parameters(const Operation& operation)
      : bytes(operation.block.size() * sizeof(int64_t)),
        extra{CU_LAUNCH_PARAM_BUFFER_POINTER,
              const_cast<int64_t*>(operation.block.data()),
              CU_LAUNCH_PARAM_BUFFER_SIZE, &bytes, CU_LAUNCH_PARAM_END} {}
  Parameters(const Parameters&) = delete;

  size_t bytes;
  void* extra[5];
};

CUDA_KERNEL_NODE_PARAMS NodeOf(const Operation& operation, Parameters* p) {
  const LaunchShape& shape = operation.shape;
  CUDA_KERNEL_NODE_PARAMS node;
  node.func = operation.function;
  node.gridDimX = shape.grid.x;
  node.gridDimY = shape.grid.y;
  node.gridDimZ = shape.grid.z;
  node.blockDimX = shape.block.x;
  node.blockDimY = shape.block.y;
  node.blockDimZ = shape.block.z;
  node.sharedMemBytes = shape.shared_bytes;
  node.extra = p->extra;
  return node;
}

bool Equal(const Extent3& a, const Extent3& b) {
  return a.x == b.x && a.y == b.y && a.z == b.z;
}
// Field by field: the structs have padding.
bool Equal(const CUDA_MEMSET_NODE_PARAMS& a, const CUDA_MEMSET_NODE_PARAMS& b) {
  return a.dst == b.dst && a.value == b.value &&
         a.elementSize == b.elementSize && a.width == b.width;
}
bool Equal(const CUDA_MEMCPY3D& a, const CUDA_MEMCPY3D& b) {
  return a.srcDevice == b.srcDevice && a.srcPitch == b.srcPitch &&
         a.srcHeight == b.srcHeight && a.dstDevice == b.dstDevice &&
         a.dstPitch == b.dstPitch && a.dstHeight == b.dstHeight &&
         a.WidthInBytes == b.WidthInBytes && a.Height == b.Height &&
         a.Depth == b.Depth;
}
bool Equal(const Operation& a, const Operation& b) {
  switch (a.kind) {
    case Operation::kLaunch:
      return Equal(a.shape.grid, b.shape.grid) &&
             Equal(a.shape.block, b.shape.block) &&
             a.shape.shared_bytes == b.shape.shared_bytes && a.block == b.block;
    case Operation::kSet:
      return Equal(a.set, b.set);
    case Operation::kCopy:
      return Equal(a.copy, b.copy);
  }
  return false;
}

absl::Status SubmitOne(const Driver& driver, const Operation& operation,
                       CUstream stream) {
  switch (operation.kind) {
    case Operation::kLaunch: {
      const LaunchShape& shape = operation.shape;
      Parameters parameters(operation);
      return FUSEAU_CUDA(driver, cuLaunchKernel, operation.function,
                         shape.grid.x, shape.grid.y, shape.grid.z,
                         shape.block.x, shape.block.y, shape.block.z,
                         shape.shared_bytes, stream, nullptr, parameters.extra);
    }
    case Operation::kSet: {
      const CUDA_MEMSET_NODE_PARAMS& set = operation.set;
      switch (set.elementSize) {
        case 1:
          return FUSEAU_CUDA(driver, cuMemsetD8Async, set.dst,
                             static_cast<unsigned char>(set.value), set.width,
                             stream);
        case 2:
          return FUSEAU_CUDA(driver, cuMemsetD16Async, set.dst,
                             static_cast<unsigned short>(set.value), set.width,
                             stream);
        default:
          return FUSEAU_CUDA(driver, cuMemsetD32Async, set.dst, set.value,
                             set.width, stream);
      }
    }
    case Operation::kCopy:
      return FUSEAU_CUDA(driver, cuMemcpy3DAsync, &operation.copy, stream);
  }
  return absl::InternalError("unknown operation");
}

}  // namespace

Operation& Batch::Add(Operation::Kind kind) {
  {
    const std::lock_guard lock(DeviceCopy::Mutex());
    device_.compute().Reserve();
  }
  Operation& operation = operations_.emplace_back();
  operation.kind = kind;
  return operation;
}

void Batch::AddCopy(CUdeviceptr to, CUdeviceptr from, int64_t bytes) {
  if (bytes == 0) return;
  CUDA_MEMCPY3D& copy = Add(Operation::kCopy).copy;
  copy.dstDevice = to;
  copy.srcDevice = from;
  copy.WidthInBytes = static_cast<size_t>(bytes);
}

void Batch::AddFill(CUdeviceptr to, int64_t bytes, const char* item, int size) {
  if (bytes == 0) return;
  auto set = [&](CUdeviceptr at, unsigned value, unsigned element, int64_t n) {
    CUDA_MEMSET_NODE_PARAMS& s = Add(Operation::kSet).set;
    s.dst = at;
    s.value = value;
    s.elementSize = element;
    s.width = static_cast<size_t>(n);
  };
  if (std::all_of(item, item + size, [&](char c) { return c == item[0]; })) {
    set(to, static_cast<unsigned char>(item[0]), 1, bytes);
    return;
  }
  uint32_t words[4] = {};
  std::memcpy(words, item, static_cast<size_t>(size));
  if (size <= 4) {
    set(to, words[0], static_cast<unsigned>(size), bytes / size);
    return;
  }
  // The driver sets at most four bytes: the first item word by word, then
  // copies of what is there, twice as long each time.
  for (int w = 0; w < size / 4; ++w)
    set(to + static_cast<CUdeviceptr>(4 * w), words[w], 4, 1);
  for (int64_t done = size; done < bytes; done *= 2) {
    AddCopy(to + static_cast<CUdeviceptr>(done), to,
            std::min(done, bytes - done));
  }
}

absl::Status Batch::Submit() {
  absl::Status status;
  const Driver& driver = device_.driver();
  // Others may ask what the stream has come to.
  const std::lock_guard lock(DeviceCopy::Mutex());
  for (const Operation& operation : operations_) {
    status = SubmitOne(driver, operation, device_.compute().handle());
    if (!status.ok()) break;
    if (operation.kind == Operation::kLaunch) Increment(Counter::kGpuLaunches);
  }
  device_.compute().Submitted();
  operations_.clear();
  return status;
}

void Batch::Drop() {
  const std::lock_guard lock(DeviceCopy::Mutex());
  device_.compute().Submitted();
  operations_.clear();
}

absl::StatusOr<std::unique_ptr<Graph>> Graph::Make(
    Device* device, const std::vector<Operation>& operations) {
  std::unique_ptr<Graph> graph(new Graph(device));
  graph->operations_ = operations;
  FUSEAU_RETURN_IF_ERROR(graph->Build());
  return graph;
}

Graph::~Graph() {
  const Driver& driver = device_.driver();
  driver.cuCtxSetCurrent(device_.context());
  if (exec_ != nullptr) driver.cuGraphExecDestroy(exec_);
  if (graph_ != nullptr) driver.cuGraphDestroy(graph_);
}

absl::Status Graph::Build() {
  const Driver& driver = device_.driver();
  FUSEAU_RETURN_IF_ERROR(
      FUSEAU_CUDA(driver, cuGraphCreate, &graph_, /*flags=*/0));
  for (const Operation& operation : operations_) {
    // Each after the one before, as on a stream.
    const CUgraphNode* after = nodes_.empty() ? nullptr : &nodes_.back();
    const size_t count = nodes_.empty() ? 0 : 1;
    CUgraphNode node = nullptr;
    switch (operation.kind) {
      case Operation::kLaunch: {
        Parameters parameters(operation);
        const CUDA_KERNEL_NODE_PARAMS p = NodeOf(operation, &parameters);
        FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver, cuGraphAddKernelNode, &node,
                                           graph_, after, count, &p));
        break;
      }
      case Operation::kSet:
        FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver, cuGraphAddMemsetNode, &node,
                                           graph_, after, count, &operation.set,
                                           device_.context()));
        break;
      case Operation::kCopy:
        FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver, cuGraphAddMemcpyNode, &node,
                                           graph_, after, count,
                                           &operation.copy, device_.context()));
        break;
    }
    nodes_.push_back(node);
  }
  return FUSEAU_CUDA(driver, cuGraphInstantiateWithFlags, &exec_, graph_,
                     /*flags=*/0);
}

bool Graph::Suits(const std::vector<Operation>& operations) {
  return operations.size() > 1 &&
         std::all_of(operations.begin(), operations.end(),
                     [](const Operation& o) {
                       return o.kind != Operation::kCopy ||
                              o.copy.Height * o.copy.Depth == 1;
                     });
}

bool Graph::Fits(const std::vector<Operation>& operations) const {
  return std::equal(operations.begin(), operations.end(), operations_.begin(),
                    operations_.end(),
                    [](const Operation& a, const Operation& b) {
                      return a.kind == b.kind && a.function == b.function;
                    });
}

absl::Status Graph::Update(size_t i, const Operation& operation) {
  const Driver& driver = device_.driver();
  switch (operation.kind) {
    case Operation::kLaunch: {
      Parameters parameters(operation);
      const CUDA_KERNEL_NODE_PARAMS p = NodeOf(operation, &parameters);
      return FUSEAU_CUDA(driver, cuGraphExecKernelNodeSetParams, exec_,
                         nodes_[i], &p);
    }
    case Operation::kSet:
      return FUSEAU_CUDA(driver, cuGraphExecMemsetNodeSetParams, exec_,
                         nodes_[i], &operation.set, device_.context());
    case Operation::kCopy:
      return FUSEAU_CUDA(driver, cuGraphExecMemcpyNodeSetParams, exec_,
                         nodes_[i], &operation.copy, device_.context());
  }
  return absl::InternalError("unknown operation");
}

absl::Status Graph::Launch(const std::vector<Operation>& operations) {
  for (size_t i = 0; i < operations.size(); ++i) {
    if (Equal(operations_[i], operations[i])) continue;
    FUSEAU_RETURN_IF_ERROR(Update(i, operations[i]));
    operations_[i] = operations[i];
  }
  Increment(Counter::kGpuGraphs);
  return FUSEAU_CUDA(device_.driver(), cuGraphLaunch, exec_,
                     device_.compute().handle());
}

}  // namespace fuseau::runtime::cuda
