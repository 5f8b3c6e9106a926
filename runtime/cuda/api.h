// The part of CUDA's driver API that is used, declared anew: to build needs no
// header of CUDA, and to run loads the driver if there is one (driver.h). Names
// are CUDA's, so that its manual can be consulted. Layouts and numbers agree
// with the header of CUDA 13.0; the driver keeps them stable.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fuseau::runtime::cuda {

enum CUresult : int {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_INITIALIZED = 3,
  CUDA_ERROR_STUB_LIBRARY = 34,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_IMAGE = 200,
  CUDA_ERROR_INVALID_CONTEXT = 201,
  CUDA_ERROR_INVALID_HANDLE = 400,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_ILLEGAL_ADDRESS = 700,
  CUDA_ERROR_LAUNCH_FAILED = 719,
};

using CUdevice = int;
using CUdeviceptr = uint64_t;
using CUcontext = struct CUctx_st*;
using CUmodule = struct CUmod_st*;
using CUfunction = struct CUfunc_st*;
using CUkernel = struct CUkern_st*;
using CUarray = struct CUarray_st*;
using CUstream = struct CUstream_st*;
using CUevent = struct CUevent_st*;
using CUgraph = struct CUgraph_st*;
using CUgraphNode = struct CUgraphNode_st*;
using CUgraphExec = struct CUgraphExec_st*;

enum CUdevice_attribute : int {
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
};

enum CUfunction_attribute : int {
  CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
};

enum CUmemorytype : int { CU_MEMORYTYPE_HOST = 1, CU_MEMORYTYPE_DEVICE = 2 };

inline constexpr unsigned CU_STREAM_NON_BLOCKING = 1;
inline constexpr unsigned CU_EVENT_DISABLE_TIMING = 2;
inline constexpr unsigned CU_MEMHOSTALLOC_PORTABLE = 1;

// Parameters of a kernel as one block: {BUFFER_POINTER, block, BUFFER_SIZE,
// &size, END}.
inline void* const CU_LAUNCH_PARAM_END = nullptr;
inline void* const CU_LAUNCH_PARAM_BUFFER_POINTER = reinterpret_cast<void*>(1);
inline void* const CU_LAUNCH_PARAM_BUFFER_SIZE = reinterpret_cast<void*>(2);

struct CUDA_KERNEL_NODE_PARAMS {
  CUfunction func = nullptr;
  unsigned gridDimX = 1, gridDimY = 1, gridDimZ = 1;
  unsigned blockDimX = 1, blockDimY = 1, blockDimZ = 1;
  unsigned sharedMemBytes = 0;
  void** kernelParams = nullptr;
  void** extra = nullptr;
  CUkernel kern = nullptr;
  CUcontext ctx = nullptr;
};

struct CUDA_MEMSET_NODE_PARAMS {
  CUdeviceptr dst = 0;
  size_t pitch = 0;
  unsigned value = 0;
  unsigned elementSize = 1;  // 1, 2 or 4
  size_t width = 0;          // in elements
  size_t height = 1;
};

struct CUDA_MEMCPY3D {
  size_t srcXInBytes = 0, srcY = 0, srcZ = 0, srcLOD = 0;
  CUmemorytype srcMemoryType = CU_MEMORYTYPE_DEVICE;
  const void* srcHost = nullptr;
  CUdeviceptr srcDevice = 0;
  CUarray srcArray = nullptr;
  void* reserved0 = nullptr;
  size_t srcPitch = 0, srcHeight = 0;
  size_t dstXInBytes = 0, dstY = 0, dstZ = 0, dstLOD = 0;
  CUmemorytype dstMemoryType = CU_MEMORYTYPE_DEVICE;
  void* dstHost = nullptr;
  CUdeviceptr dstDevice = 0;
  CUarray dstArray = nullptr;
  void* reserved1 = nullptr;
  size_t dstPitch = 0, dstHeight = 0;
  size_t WidthInBytes = 0, Height = 1, Depth = 1;
};

// F(name, the version of CUDA whose form of the function is meant, parameters).
#define FUSEAU_CUDA_FUNCTIONS(F)                                               \
  F(cuInit, 2000, (unsigned flags))                                            \
  F(cuDriverGetVersion, 2020, (int* version))                                  \
  F(cuGetErrorName, 6000, (CUresult error, const char** name))                 \
  F(cuDeviceGetCount, 2000, (int* count))                                      \
  F(cuDeviceGet, 2000, (CUdevice * device, int ordinal))                       \
  F(cuDeviceGetName, 2000, (char* name, int length, CUdevice device))          \
  F(cuDeviceTotalMem, 3020, (size_t* bytes, CUdevice device))                  \
  F(cuDeviceGetAttribute, 2000,                                                \
    (int* value, CUdevice_attribute attribute, CUdevice device))               \
  F(cuDevicePrimaryCtxRetain, 7000, (CUcontext * context, CUdevice device))    \
  F(cuDevicePrimaryCtxRelease, 11000, (CUdevice device))                       \
  F(cuCtxSetCurrent, 4000, (CUcontext context))                                \
  F(cuMemAlloc, 3020, (CUdeviceptr * address, size_t bytes))                   \
  F(cuMemFree, 3020, (CUdeviceptr address))                                    \
  F(cuMemHostAlloc, 2020, (void** address, size_t bytes, unsigned flags))      \
  F(cuMemFreeHost, 2000, (void* address))                                      \
  F(cuMemcpyHtoDAsync, 3020,                                                   \
    (CUdeviceptr to, const void* from, size_t bytes, CUstream stream))         \
  F(cuMemcpyDtoHAsync, 3020,                                                   \
    (void* to, CUdeviceptr from, size_t bytes, CUstream stream))               \
  F(cuMemcpy3DAsync, 3020, (const CUDA_MEMCPY3D* copy, CUstream stream))       \
  F(cuMemcpyPeerAsync, 4000,                                                   \
    (CUdeviceptr to, CUcontext to_context, CUdeviceptr from,                   \
     CUcontext from_context, size_t bytes, CUstream stream))                   \
  F(cuMemsetD8Async, 3020,                                                     \
    (CUdeviceptr to, unsigned char value, size_t count, CUstream stream))      \
  F(cuMemsetD16Async, 3020,                                                    \
    (CUdeviceptr to, unsigned short value, size_t count, CUstream stream))     \
  F(cuMemsetD32Async, 3020,                                                    \
    (CUdeviceptr to, unsigned value, size_t count, CUstream stream))           \
  F(cuStreamCreate, 2000, (CUstream * stream, unsigned flags))                 \
  F(cuStreamDestroy, 4000, (CUstream stream))                                  \
  F(cuStreamSynchronize, 2000, (CUstream stream))                              \
  F(cuStreamWaitEvent, 3020, (CUstream stream, CUevent event, unsigned flags)) \
  F(cuEventCreate, 2000, (CUevent * event, unsigned flags))                    \
  F(cuEventDestroy, 4000, (CUevent event))                                     \
  F(cuEventRecord, 2000, (CUevent event, CUstream stream))                     \
  F(cuEventSynchronize, 2000, (CUevent event))                                 \
  F(cuModuleLoadData, 2000, (CUmodule * module, const void* image))            \
  F(cuModuleUnload, 2000, (CUmodule module))                                   \
  F(cuModuleGetFunction, 2000,                                                 \
    (CUfunction * function, CUmodule module, const char* name))                \
  F(cuFuncSetAttribute, 9000,                                                  \
    (CUfunction function, CUfunction_attribute attribute, int value))          \
  F(cuLaunchKernel, 4000,                                                      \
    (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,   \
     unsigned block_x, unsigned block_y, unsigned block_z,                     \
     unsigned shared_bytes, CUstream stream, void** parameters, void** extra)) \
  F(cuGraphCreate, 10000, (CUgraph * graph, unsigned flags))                   \
  F(cuGraphDestroy, 10000, (CUgraph graph))                                    \
  F(cuGraphAddKernelNode, 12000,                                               \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* after,              \
     size_t after_count, const CUDA_KERNEL_NODE_PARAMS* parameters))           \
  F(cuGraphAddMemsetNode, 10000,                                               \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* after,              \
     size_t after_count, const CUDA_MEMSET_NODE_PARAMS* parameters,            \
     CUcontext context))                                                       \
  F(cuGraphAddMemcpyNode, 10000,                                               \
    (CUgraphNode * node, CUgraph graph, const CUgraphNode* after,              \
     size_t after_count, const CUDA_MEMCPY3D* copy, CUcontext context))        \
  F(cuGraphInstantiateWithFlags, 11040,                                        \
    (CUgraphExec * exec, CUgraph graph, unsigned long long flags))             \
  F(cuGraphExecDestroy, 10000, (CUgraphExec exec))                             \
  F(cuGraphExecKernelNodeSetParams, 12000,                                     \
    (CUgraphExec exec, CUgraphNode node,                                       \
     const CUDA_KERNEL_NODE_PARAMS* parameters))                               \
  F(cuGraphExecMemsetNodeSetParams, 10020,                                     \
    (CUgraphExec exec, CUgraphNode node,                                       \
     const CUDA_MEMSET_NODE_PARAMS* parameters, CUcontext context))            \
  F(cuGraphExecMemcpyNodeSetParams, 10020,                                     \
    (CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D* copy,            \
     CUcontext context))                                                       \
  F(cuGraphLaunch, 10000, (CUgraphExec exec, CUstream stream))

}  // namespace fuseau::runtime::cuda
