#include "runtime/cuda/pool.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/base/status.h"

namespace fuseau::runtime::cuda {
namespace {

constexpr int64_t kUnit = 512;
// Slabs larger than usual are whole pages of the device.
constexpr int64_t kPage = int64_t{2} << 20;

int64_t RoundUp(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

}  // namespace

Pool::~Pool() {
  Trim(0);
  FUSEAU_CHECK(slabs_.empty());
}

absl::Status Pool::AddSlab(int64_t bytes) {
  const int64_t size = bytes <= options_.slab_bytes ? options_.slab_bytes
                                                    : RoundUp(bytes, kPage);
  auto slab = std::make_unique<Slab>();
  absl::StatusOr<CUdeviceptr> address = source_.allocate(size);
  slab->bytes = size;
  if (!address.ok() && size > bytes) {
    // There may be room for what is needed now.
    slab->bytes = bytes;
    address = source_.allocate(bytes);
  }
  if (!address.ok()) return address.status();
  slab->address = *address;
  Block& block = slab->blocks.emplace_back();
  block.address = slab->address;
  block.bytes = slab->bytes;
  block.slab = slab.get();
  block.place = slab->blocks.begin();
  free_.insert(&block);
  usage_.free += slab->bytes;
  ++usage_.slabs;
  slabs_.push_back(std::move(slab));
  return absl::OkStatus();
}

absl::StatusOr<Pool::Block*> Pool::Take(int64_t bytes) {
  bytes = RoundUp(std::max<int64_t>(bytes, 1), kUnit);
  Block wanted;
  wanted.bytes = bytes;
  auto it = free_.lower_bound(&wanted);
  if (it == free_.end()) {
    FUSEAU_RETURN_IF_ERROR(AddSlab(bytes));
    it = free_.lower_bound(&wanted);
  }
  Block* const block = *it;
  free_.erase(it);
  if (block->bytes > bytes) {
    std::list<Block>& blocks = block->slab->blocks;
    Block rest = *block;
    rest.address += static_cast<CUdeviceptr>(bytes);
    rest.bytes -= bytes;
    const auto place = blocks.insert(std::next(block->place), rest);
    place->place = place;
    free_.insert(&*place);
    block->bytes = bytes;
  }
  block->free = false;
  usage_.free -= block->bytes;
  usage_.used += block->bytes;
  usage_.peak = std::max(usage_.peak, usage_.used);
  return block;
}

// Both are free, and not in the list of free blocks.
void Pool::Join(Block* block, Block* next) {
  block->bytes += next->bytes;
  for (int s = 0; s < kStreams; ++s)
    block->last[s] = std::max(block->last[s], next->last[s]);
  block->slab->blocks.erase(next->place);
}

void Pool::Give(Block* block, const Positions& last) {
  FUSEAU_CHECK(!block->free);
  usage_.used -= block->bytes;
  usage_.free += block->bytes;
  block->free = true;
  for (int s = 0; s < kStreams; ++s)
    block->last[s] = std::max(block->last[s], last[s]);
  std::list<Block>& blocks = block->slab->blocks;
  if (const auto next = std::next(block->place);
      next != blocks.end() && next->free) {
    free_.erase(&*next);
    Join(block, &*next);
  }
  if (block->place != blocks.begin() && std::prev(block->place)->free) {
    Block* const previous = &*std::prev(block->place);
    free_.erase(previous);
    Join(previous, block);
    block = previous;
  }
  free_.insert(block);
}

void Pool::Trim(int64_t max_free) {
  for (auto it = slabs_.begin();
       it != slabs_.end() && usage_.free > max_free;) {
    Slab& slab = **it;
    if (slab.blocks.size() > 1 || !slab.blocks.front().free) {
      ++it;
      continue;
    }
    free_.erase(&slab.blocks.front());
    usage_.free -= slab.bytes;
    --usage_.slabs;
    source_.free(slab.address);
    it = slabs_.erase(it);
  }
}

}  // namespace fuseau::runtime::cuda
