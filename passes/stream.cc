#include "passes/stream.h"

#include "llvm/ADT/MapVector.h"

namespace fuseau::passes {
namespace {

namespace exec = ir::exec;
using mlir::Value;

// The kernel's attribute has so many bits.
constexpr size_t kMaxResults = 31;
// Shorter rows would have too many lines that are written in part.
constexpr int64_t kLongRowBytes = 1024;
constexpr int64_t kLineBytes = 64;

// Windows of one buffer count as the span that they lie in.
int64_t BytesTouched(exec::RunOp run, const Nest& nest) {
  llvm::MapVector<Value, ByteRange> touched;
  auto touch = [&](Value buffer, const Access& access, mlir::Attribute type) {
    const ByteRange range =
        Extent(access.offset, nest.space, access.strides, ItemSizeOf(type));
    ByteRange& all = touched.insert({buffer, range}).first->second;
    all.lo = std::min(all.lo, range.lo);
    all.hi = std::max(all.hi, range.hi);
  };
  size_t memory = 0;
  for (size_t i = 0; i < nest.in.size(); ++i)
    if (run.getKinds()[i] == kMemory)
      touch(run.getInputs()[memory++], nest.in[i], run.getInTypes()[i]);
  for (size_t i = 0; i < nest.out.size(); ++i)
    touch(run.getOutputs()[i], nest.out[i], run.getOutTypes()[i]);
  int64_t bytes = 0;
  for (const auto& [buffer, range] : touched) bytes += range.hi - range.lo;
  return bytes;
}

Access InElements(Access access, int64_t item) {
  access.offset /= item;
  for (int64_t& stride : access.strides) stride /= item;
  return access;
}

}  // namespace

Streaming::Streaming(llvm::ArrayRef<exec::RunOp> runs, int64_t limit)
    : limit_(limit) {
  for (exec::RunOp run : runs)
    for (Value buffer : run.getInputs()) read_.insert(buffer);
}

uint32_t Streaming::Of(exec::RunOp run, const Nest& nest, int64_t rows) const {
  if (llvm::is_contained(nest.reduced, true)) return 0;
  if (BytesTouched(run, nest) <= limit_) return 0;
  uint32_t streamed = 0;
  Access first;
  for (size_t i = 0; i < std::min(nest.out.size(), kMaxResults); ++i) {
    const Access& out = nest.out[i];
    const Value buffer = run.getOutputs()[i];
    const int64_t item = ItemSizeOf(run.getOutTypes()[i]);
    if (read_.contains(buffer) || buffer.getDefiningOp<exec::TileBufferOp>())
      continue;
    // What is small next to the limit may stay in a cache for who needs it.
    // Tests with a limit of 0 stream short rows as well.
    if (out.strides.back() != item ||
        nest.space.back() * item < std::min(kLongRowBytes, limit_) ||
        Count(nest.space) * item < limit_ / 4)
      continue;
    if (rows > 1 && out.strides[nest.space.size() - 2] % kLineBytes != 0)
      continue;
    const Access elements = InElements(out, item);
    if (streamed != 0 && !(elements == first)) continue;
    first = elements;
    streamed |= uint32_t{1} << i;
  }
  return streamed;
}

}  // namespace fuseau::passes
