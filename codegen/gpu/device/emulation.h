// The part of CUDA C++ that kernels use, for the processor's own compiler: what
// `emulate.h` puts before a kernel's source. A thread of a block is a fiber
// with a stack of its own; a barrier or a shuffle changes to the next one.
// Blocks run one after the other. The order of threads and blocks is chosen at
// each launch: a kernel whose result depends on it lacks a barrier.
#pragma once

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define FUSEAU_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUSEAU_ASAN 1
#endif
#endif
#ifdef FUSEAU_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define FUSEAU_EMULATED 1
#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __shared__ static thread_local

namespace emulation {

struct Index {
  unsigned x, y, z;
};

enum class State : unsigned char { kReady, kAtBarrier, kInWarp, kDone };

struct Thread {
  void* stack_pointer;
  char* stack;
  void* fake_stack;  // of the address sanitizer
  Index index;
  unsigned place;  // in its block
  State state;
  const char* file;  // of the barrier it waits at
  int line;
};

constexpr size_t kStackBytes = 64 * 1024;
constexpr unsigned kWarp = 32;
constexpr unsigned kMaxThreads = 1024;

struct Block {
  Thread threads[kMaxThreads];
  unsigned order[kMaxThreads];  // in which they run
  unsigned long long exchanged[kMaxThreads];
  unsigned count;
  Thread* current;
  void* scheduler;
  void* scheduler_fake_stack;
  const void* scheduler_stack;
  size_t scheduler_stack_bytes;
  Index index, size, grid;
  void (*kernel)(const void* arguments);
  const void* arguments;
};

inline thread_local Block* block = nullptr;

#if defined(__x86_64__)
// Saves what a call must keep and the stack pointer; goes on where the other
// one was saved.
extern "C" void fuseau_switch_fiber(void** save, void* to);
asm(R"(
  .text
  .weak fuseau_switch_fiber
  .hidden fuseau_switch_fiber
  .type fuseau_switch_fiber, @function
fuseau_switch_fiber:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size fuseau_switch_fiber, . - fuseau_switch_fiber
)");
constexpr int kSavedWords = 6;
#else
#error "Emulated devices need fibers, which are written for x86-64 only."
#endif

inline void Leave(State state) {
  Block* b = block;
  Thread* thread = b->current;
  thread->state = state;
#ifdef FUSEAU_ASAN
  __sanitizer_start_switch_fiber(
      state == State::kDone ? nullptr : &thread->fake_stack, b->scheduler_stack,
      b->scheduler_stack_bytes);
#endif
  fuseau_switch_fiber(&thread->stack_pointer, b->scheduler);
#ifdef FUSEAU_ASAN
  __sanitizer_finish_switch_fiber(thread->fake_stack, nullptr, nullptr);
#endif
}

inline void Start() {
  Block* b = block;
#ifdef FUSEAU_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &b->scheduler_stack,
                                  &b->scheduler_stack_bytes);
#endif
  b->kernel(b->arguments);
  Leave(State::kDone);
  __builtin_trap();
}

inline void Prepare(Thread* thread) {
  void** top = reinterpret_cast<void**>(thread->stack + kStackBytes);
  *--top = nullptr;  // so that the stack is aligned as after a call
  *--top = reinterpret_cast<void*>(&Start);
  for (int i = 0; i < kSavedWords; ++i) *--top = nullptr;
  thread->stack_pointer = top;
  thread->state = State::kReady;
}

inline void Resume(Thread* thread) {
  Block* b = block;
  b->current = thread;
#ifdef FUSEAU_ASAN
  __sanitizer_start_switch_fiber(&b->scheduler_fake_stack, thread->stack,
                                 kStackBytes);
#endif
  fuseau_switch_fiber(&b->scheduler, thread->stack_pointer);
#ifdef FUSEAU_ASAN
  __sanitizer_finish_switch_fiber(b->scheduler_fake_stack, nullptr, nullptr);
#endif
}

// Frees threads of warps whose live threads all wait in a shuffle.
inline bool ReleaseWarps() {
  Block* b = block;
  bool any = false;
  for (unsigned warp = 0; warp < b->count; warp += kWarp) {
    const unsigned end = warp + kWarp < b->count ? warp + kWarp : b->count;
    unsigned live = 0, waiting = 0;
    for (unsigned i = warp; i < end; ++i) {
      live += b->threads[i].state != State::kDone;
      waiting += b->threads[i].state == State::kInWarp;
    }
    if (waiting == 0 || waiting < live) continue;
    for (unsigned i = warp; i < end; ++i)
      if (b->threads[i].state == State::kInWarp)
        b->threads[i].state = State::kReady;
    any = true;
  }
  return any;
}

inline void ReleaseBarrier() {
  Block* b = block;
  const Thread* first = nullptr;
  for (unsigned i = 0; i < b->count; ++i) {
    Thread& thread = b->threads[i];
    if (thread.state == State::kDone) continue;
    if (thread.state != State::kAtBarrier) {
      fprintf(stderr,
              "emulation: a thread waits in a shuffle while others of its warp "
              "wait at a barrier\n");
      abort();
    }
    if (first == nullptr) first = &thread;
    if (first->line != thread.line || strcmp(first->file, thread.file) != 0) {
      fprintf(stderr,
              "emulation: threads of one block wait at different barriers: "
              "%s:%d and %s:%d\n",
              first->file, first->line, thread.file, thread.line);
      abort();
    }
    thread.state = State::kReady;
  }
}

// A generator of numbers that is the same everywhere.
struct Random {
  unsigned long long state;
  unsigned Below(unsigned n) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<unsigned>((state >> 33) % n);
  }
};

// 0: forwards, 1: backwards, else at random.
inline void Arrange(unsigned* order, unsigned n, unsigned kind,
                    Random& random) {
  for (unsigned i = 0; i < n; ++i) order[i] = kind == 1 ? n - 1 - i : i;
  if (kind < 2) return;
  for (unsigned i = n; i > 1; --i) {
    const unsigned other = random.Below(i);
    const unsigned moved = order[i - 1];
    order[i - 1] = order[other];
    order[other] = moved;
  }
}

inline void RunBlock() {
  Block* b = block;
  for (unsigned i = 0; i < b->count; ++i) Prepare(&b->threads[i]);
  unsigned done = 0;
  while (done < b->count) {
    for (unsigned i = 0; i < b->count; ++i) {
      Thread* thread = &b->threads[b->order[i]];
      if (thread->state != State::kReady) continue;
      Resume(thread);
      done += thread->state == State::kDone;
    }
    if (done < b->count && !ReleaseWarps()) ReleaseBarrier();
  }
}

// Memory for a thread's blocks, kept for the next launch.
inline Block* MakeBlock() {
  Block* made = static_cast<Block*>(calloc(1, sizeof(Block)));
  void* stacks =
      mmap(nullptr, kMaxThreads * kStackBytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == nullptr || stacks == MAP_FAILED) {
    fprintf(stderr, "emulation: no memory for stacks\n");
    abort();
  }
  for (unsigned i = 0; i < kMaxThreads; ++i)
    made->threads[i].stack = static_cast<char*>(stacks) + i * kStackBytes;
  return made;
}

struct KeptBlock {
  Block* block = nullptr;
  ~KeptBlock() {
    if (block == nullptr) return;
    munmap(block->threads[0].stack, kMaxThreads * kStackBytes);
    free(block);
  }
};
inline thread_local KeptBlock kept;

inline void Launch(const unsigned* grid, const unsigned* size, unsigned order,
                   void (*kernel)(const void*), const void* arguments) {
  if (kept.block == nullptr) kept.block = MakeBlock();
  Block* b = block = kept.block;
  b->grid = {grid[0], grid[1], grid[2]};
  b->size = {size[0], size[1], size[2]};
  b->count = size[0] * size[1] * size[2];
  b->kernel = kernel;
  b->arguments = arguments;
  if (b->count == 0 || b->count > kMaxThreads) {
    fprintf(stderr, "emulation: %u threads a block\n", b->count);
    abort();
  }
  for (unsigned i = 0; i < b->count; ++i) {
    b->threads[i].place = i;
    b->threads[i].index = {i % size[0], i / size[0] % size[1],
                           i / size[0] / size[1]};
  }
  Random random{order};
  const unsigned blocks = grid[0] * grid[1] * grid[2];
  unsigned* places = static_cast<unsigned*>(malloc(blocks * sizeof(unsigned)));
  Arrange(places, blocks, order, random);
  for (unsigned i = 0; i < blocks; ++i) {
    const unsigned place = places[i];
    b->index = {place % grid[0], place / grid[0] % grid[1],
                place / grid[0] / grid[1]};
    Arrange(b->order, b->count, order, random);
    RunBlock();
  }
  free(places);
}

inline void Barrier(const char* file, int line) {
  block->current->file = file;
  block->current->line = line;
  Leave(State::kAtBarrier);
}

// The value of the thread at another place of the warp; the own one if there is
// no such thread.
template <class T>
T Exchange(T value, unsigned place) {
  static_assert(sizeof(T) <= sizeof(block->exchanged[0]), "one word");
  Block* b = block;
  memcpy(&b->exchanged[b->current->place], &value, sizeof(value));
  Leave(State::kInWarp);
  T result = value;
  if (place < b->count) memcpy(&result, &b->exchanged[place], sizeof(result));
  Leave(State::kInWarp);
  return result;
}

}  // namespace emulation

#define threadIdx (emulation::block->current->index)
#define blockIdx (emulation::block->index)
#define blockDim (emulation::block->size)
#define gridDim (emulation::block->grid)
#define __syncthreads() emulation::Barrier(__FILE__, __LINE__)

template <class T>
T __shfl_xor_sync(unsigned, T value, int bits) {
  return emulation::Exchange(
      value, emulation::block->current->place ^ static_cast<unsigned>(bits));
}
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline unsigned atomicAdd(unsigned* p, unsigned x) {
  return __atomic_fetch_add(p, x, __ATOMIC_SEQ_CST);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) {
  return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x));
}

// The door to kernel `name`, whose arguments are `Slots<slots>`.
#define FUSEAU_EMULATED_KERNEL(name, slots)                             \
  extern "C" __attribute__((visibility("default"))) void name##_launch( \
      const unsigned* grid, const unsigned* block, unsigned order,      \
      const void* arguments) {                                          \
    emulation::Launch(                                                  \
        grid, block, order,                                             \
        [](const void* p) {                                             \
          fuseau::in_##name::name(                                      \
              *static_cast<const fuseau::Slots<slots>*>(p));            \
        },                                                              \
        arguments);                                                     \
  }
