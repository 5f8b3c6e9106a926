// Every point for itself: kLanes neighbours along the innermost dimension a
// thread.

namespace fuseau {

constexpr int kThreads = 256;  // of a block

template <class Kernel, class Args>
FUSEAU_FN void Map(const Args& args) {
  constexpr int kRank = Kernel::kRank, kLanes = Kernel::kLanes;
  const i64 n = kRank == 0 ? 1 : args.value[kRank == 0 ? 0 : kRank - 1];
  // Pieces start where those of the first result are aligned, so the first and
  // the last one of a row may be short.
  const bool ragged = Kernel::IsRagged(args);
  const i64 pieces = (n + (ragged ? 2 * kLanes - 2 : kLanes - 1)) / kLanes;
  if (pieces <= 0) return;
  u64 row = u64{blockIdx.x} * kThreads + threadIdx.x;
  const i64 piece =
      static_cast<i64>(DivideInPlace(row, static_cast<u64>(pieces)));
  Kernel kernel(args);
  constexpr u64 kRows = kRank < 2 ? 0 : (u64{1} << (kRank - 1)) - 1;
  if (!MoveTo<kRows>(args, row, kernel)) return;
  const i64 from = piece * kLanes - (ragged ? kernel.Lead() : 0);
  const i64 to = from + kLanes;
  if (kLanes == 1 || (from >= 0 && to <= n)) {
    if (to <= n) kernel.template Run<kLanes>(from);
    return;
  }
#pragma unroll 1
  for (i64 i = from < 0 ? 0 : from; i < to && i < n; ++i)
    kernel.template Run<1>(i);
}

}  // namespace fuseau
