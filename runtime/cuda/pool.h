// Memory of a device, kept for the next request.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <set>

#include "absl/status/statusor.h"
#include "runtime/cuda/api.h"
#include "runtime/cuda/stream.h"

namespace fuseau::runtime::cuda {

// Cuts blocks out of large slabs, since the driver's own allocation waits for
// the device. A block that is given back may be taken at once, with work that
// uses it still under way: it says how far the streams must have come. Slabs
// are plain allocations, which other processes and network cards can be given.
// Not thread-safe.
class Pool {
 public:
  // Where slabs come from.
  struct Source {
    std::function<absl::StatusOr<CUdeviceptr>(int64_t bytes)> allocate;
    // Nothing on the device uses it any more.
    std::function<void(CUdeviceptr)> free;
  };
  struct Options {
    int64_t slab_bytes = int64_t{64} << 20;
  };

  struct Slab;
  // A piece of a slab.
  struct Block {
    CUdeviceptr address = 0;
    int64_t bytes = 0;    // of the block, at least what was asked for
    Positions last = {};  // after these it is free indeed
    // For the pool.
    Slab* slab = nullptr;
    bool free = true;
    std::list<Block>::iterator place;  // in its slab, in order of addresses
  };

  Pool(Source source, Options options)
      : source_(std::move(source)), options_(options) {}
  // All blocks must have been given back.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // The smallest free block that holds so many bytes (aligned to 512), or one
  // of a new slab. Who uses it waits for its `last` before.
  absl::StatusOr<Block*> Take(int64_t bytes);
  // `last`: the positions of the last operations that use it.
  void Give(Block* block, const Positions& last);
  // Returns slabs of which nothing is in use until at most so much is free. All
  // work that ever used them is done.
  void Trim(int64_t max_free);

  struct Slab {
    CUdeviceptr address = 0;
    int64_t bytes = 0;
    std::list<Block> blocks;
  };

  struct Usage {
    int64_t used = 0;  // bytes of blocks in use
    int64_t free = 0;
    int64_t peak = 0;  // the highest `used` so far
    int slabs = 0;
  };
  const Usage& usage() const { return usage_; }

 private:
  struct Smaller {
    bool operator()(const Block* a, const Block* b) const {
      return a->bytes != b->bytes ? a->bytes < b->bytes
                                  : a->address < b->address;
    }
  };

  absl::Status AddSlab(int64_t bytes);
  void Join(Block* block, Block* next);

  const Source source_;
  const Options options_;
  std::list<std::unique_ptr<Slab>> slabs_;
  std::set<Block*, Smaller> free_;
  Usage usage_;
};

}  // namespace fuseau::runtime::cuda
