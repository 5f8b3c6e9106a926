// What a run asks of the device, gathered so that it can be given to the driver
// as one graph.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "runtime/cuda/device.h"
#include "runtime/cuda/kernel.h"

namespace fuseau::runtime::cuda {

// One operation of the compute stream.
struct Operation {
  enum Kind : uint8_t { kLaunch, kSet, kCopy };
  Kind kind = kLaunch;
  // kLaunch
  CUfunction function = nullptr;
  LaunchShape shape;
  std::vector<int64_t> block;  // the kernel's parameters
  // The others, in the driver's own words.
  CUDA_MEMSET_NODE_PARAMS set;
  CUDA_MEMCPY3D copy;
};

// Operations in order. Each has its position on the compute stream from the
// moment that it is added.
class Batch {
 public:
  explicit Batch(Device* device) : device_(*device) {}
  // What was not submitted is not done.
  ~Batch() { Drop(); }

  Operation& Add(Operation::Kind kind);
  // Bytes [from, from + bytes) to `to`.
  void AddCopy(CUdeviceptr to, CUdeviceptr from, int64_t bytes);
  // Fills with copies of the `size` bytes of `item`.
  void AddFill(CUdeviceptr to, int64_t bytes, const char* item, int size);

  const std::vector<Operation>& operations() const { return operations_; }
  bool empty() const { return operations_.empty(); }

  // Gives all to the driver one by one; the batch is empty then, also after an
  // error.
  absl::Status Submit();
  // Somebody else has given it to the driver, or never will.
  void Drop();

 private:
  Device& device_;
  std::vector<Operation> operations_;
};

// A batch as a graph of the driver, which is launched at once. Later batches of
// the same operations differ in addresses and numbers only; what differs is
// changed in the graph.
class Graph {
 public:
  static absl::StatusOr<std::unique_ptr<Graph>> Make(
      Device* device, const std::vector<Operation>& operations);
  // Whether they can be a graph that is changed later: not with copies of many
  // rows, which the driver does not change.
  static bool Suits(const std::vector<Operation>& operations);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Whether the operations are of the same kinds, with the same kernels.
  bool Fits(const std::vector<Operation>& operations) const;
  // Makes it do these, which fit, and launches it.
  absl::Status Launch(const std::vector<Operation>& operations);

 private:
  explicit Graph(Device* device) : device_(*device) {}
  absl::Status Build();
  absl::Status Update(size_t i, const Operation& operation);

  Device& device_;
  CUgraph graph_ = nullptr;
  CUgraphExec exec_ = nullptr;
  std::vector<CUgraphNode> nodes_;
  std::vector<Operation> operations_;  // what the graph does now
};

}  // namespace fuseau::runtime::cuda
