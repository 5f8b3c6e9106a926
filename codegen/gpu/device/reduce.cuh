// Joins of points. A kernel has up to four passes (`Part`s), by how their
// results are joined: floats along NumPy's tree of pairs, complex numbers along
// theirs, in order, and in any order. `Kernel::Total` holds all of them.

namespace fuseau {

// The threads that join a row together; a block has several such groups.
struct Group {
  int size;
  int thread;
  int number;
  bool active;  // else only keeps the others company at barriers
};

// A node of NumPy's tree over n elements: so many units of kLanes elements, and
// for the last node of its level a rest. Halves of a node are equal, or the
// right one has a unit more.
template <int kLanes>
struct Node {
  u32 offset;  // all in units
  u32 units;
  u32 rest;          // elements, fewer than kLanes
  bool live = true;  // else its parent is a leaf
  // A leaf has up to 16 units.
  FUSEAU_METHOD bool IsSplit() const {
    return units > 16 || (units == 16 && rest > 0);
  }
  FUSEAU_METHOD i64 size() const {
    return i64{units} * kLanes + rest;
  }
  FUSEAU_METHOD i64 start() const { return i64{offset} * kLanes; }
};

template <int kLanes>
FUSEAU_FN Node<kLanes> Root(i64 n) {
  return {0, static_cast<u32>(n / kLanes), static_cast<u32>(n % kLanes)};
}

// Node `place` of those `levels` below. A leaf is its own left child.
template <int kLanes>
FUSEAU_FN Node<kLanes> Descend(Node<kLanes> node, int levels, u32 place) {
  for (int b = levels - 1; b >= 0; --b) {
    const bool right = place >> b & 1;
    if (!node.IsSplit()) {
      node.live = node.live && !right;
      continue;
    }
    const u32 half = node.units / 2;
    if (right) {
      node.offset += half;
      node.units -= half;
    } else {
      node.units = half;
      node.rest = 0;
    }
  }
  return node;
}

// How many levels below a node the lowest leaf is.
template <int kLanes>
FUSEAU_FN int Depth(const Node<kLanes>& node) {
  int depth = 0;
  u32 units = node.units;  // of the largest node of a level
  while (units > 16 || (units == 16 && node.rest > 0)) {
    units -= units / 2;
    ++depth;
  }
  return depth;
}

FUSEAU_FN int Log2(int power) { return 31 - __clz(power); }

// What the thread has whose place in the warp differs by these bits.
template <class T>
FUSEAU_FN T ShuffleXor(const T& value, int bits) {
  static_assert(sizeof(T) % 4 == 0, "whole words");
  u32 words[sizeof(T) / 4];
  memcpy(words, &value, sizeof(value));
#pragma unroll
  for (int w = 0; w < static_cast<int>(sizeof(T) / 4); ++w)
    words[w] = __shfl_xor_sync(0xffffffffu, words[w], bits);
  T other;
  memcpy(&other, words, sizeof(other));
  return other;
}

// The elements of a leaf, by kLanes threads; the first one has the sum. All
// threads of the warp take part.
template <class Part, int kLanes, class Kernel>
FUSEAU_FN Part JoinLeaf(const Kernel& kernel, i64 start, int n, int lane) {
  Part sum = Part::Identity();
  const int whole = n - n % kLanes;
  if (whole > 0) {
    sum = Part::Of(kernel, start + lane);
#pragma unroll 4
    for (int i = kLanes; i < whole; i += kLanes)
      sum.Join(Part::Of(kernel, start + i + lane));
  }
#pragma unroll
  for (int distance = 1; distance < kLanes; distance *= 2)
    sum.Join(ShuffleXor(sum, distance));
  if (lane == 0) {
#pragma unroll 1
    for (int i = whole; i < n; ++i) sum.Join(Part::Of(kernel, start + i));
  }
  return sum;
}

// A node whose leaves are at most one for each kLanes threads of the group. The
// group's first thread has the sum.
template <class Part, int kLanes, class Kernel>
FUSEAU_FN Part JoinSmallNode(const Group& group, const Kernel& kernel,
                             const Node<kLanes>& node, int depth,
                             Part* shared) {
  const int leaf = group.thread / kLanes, lane = group.thread % kLanes;
  const int leaves = 1 << depth;
  const Node<kLanes> mine =
      Descend(node, depth, static_cast<u32>(leaf < leaves ? leaf : 0));
  const bool has_leaf = group.active && leaf < leaves && mine.live;
  Part sum = JoinLeaf<Part, kLanes>(kernel, mine.start(),
                                    has_leaf ? static_cast<int>(mine.size()) : 0,
                                    lane);
  if (depth == 0) return sum;
  Part* sums = shared + group.number * (group.size / kLanes);
  if (lane == 0) sums[leaf] = sum;
  __syncthreads();
  for (int level = 1; level <= depth; ++level) {
    const int width = 1 << level;
    const int t = group.thread;
    if (t < leaves && t % width == 0) {
      const auto parent =
          Descend(node, depth - level, static_cast<u32>(t >> level));
      if (parent.live && parent.IsSplit()) sums[t].Join(sums[t + width / 2]);
    }
    __syncthreads();
  }
  sum = sums[0];
  __syncthreads();
  return sum;
}

// Along NumPy's tree: part `part` of 1 << `level` nodes of equal depth.
template <class Part, int kLanes, class Kernel>
FUSEAU_FN Part JoinTree(const Group& group, const Kernel& kernel, i64 n,
                        int level, u32 part, void* scratch) {
  Part* shared = static_cast<Part*>(scratch);
  const Node<kLanes> root = Descend(Root<kLanes>(n), level, part);
  const int depth = Depth(root);
  const int at_once = Log2(group.size / kLanes);
  const int above = depth > at_once ? depth - at_once : 0;
  // Left halves wait for their right ones, one for each level. Only the first
  // thread of a group uses them.
  Part* waiting = shared + kThreads / kLanes + group.number * above;
  Part sum;
  for (u32 t = 0; t < u32{1} << above; ++t) {
    const Node<kLanes> node = Descend(root, above, t);
    sum = JoinSmallNode<Part, kLanes>(group, kernel, node, depth - above,
                                      shared);
    if (group.thread != 0 || above == 0) continue;
    int l = above - 1;
    for (u32 place = t; place & 1; place >>= 1, --l) {
      Part left = waiting[l];
      left.Join(sum);
      sum = left;
    }
    if (l >= 0) waiting[l] = sum;
  }
  // What comes next uses the same memory.
  if (above > 0) __syncthreads();
  return sum;
}

// Where part `part` of 1 << `level` begins.
FUSEAU_FN i64 PartStart(i64 n, int level, u32 part) {
  return (n >> level) * part + ((n & ((i64{1} << level) - 1)) * part >> level);
}

// In any order: points [from, to).
template <class Part, class Kernel>
FUSEAU_FN Part JoinAny(const Group& group, const Kernel& kernel, i64 from,
                       i64 to, void* scratch) {
  Part sum = Part::Identity();
  if (group.active) {
#pragma unroll 4
    for (i64 i = from + group.thread; i < to; i += group.size)
      sum.Join(Part::Of(kernel, i));
  }
  Part* sums = static_cast<Part*>(scratch) + group.number * group.size;
  sums[group.thread] = sum;
  __syncthreads();
  for (int width = group.size / 2; width > 0; width /= 2) {
    if (group.thread < width)
      sums[group.thread].Join(sums[group.thread + width]);
    __syncthreads();
  }
  sum = sums[0];
  __syncthreads();
  return sum;
}

// One after the other, on from `sum`.
template <class Part, class Kernel>
FUSEAU_FN Part JoinInOrder(const Group& group, const Kernel& kernel, i64 n,
                           Part sum, void* scratch) {
  Part* points = static_cast<Part*>(scratch) + group.number * group.size;
  for (i64 from = 0; from < n; from += group.size) {
    const i64 i = from + group.thread;
    if (group.active && i < n) points[group.thread] = Part::Of(kernel, i);
    __syncthreads();
    if (group.active && group.thread == 0) {
      const int count =
          n - from < group.size ? static_cast<int>(n - from) : group.size;
      for (int k = 0; k < count; ++k) sum.Join(points[k]);
    }
    __syncthreads();
  }
  return sum;
}

// What another block wrote; the first-level cache may not know of it.
template <class T>
FUSEAU_FN T LoadShared(const T* p) {
  static_assert(sizeof(T) % 4 == 0, "whole words");
  u32 words[sizeof(T) / 4];
#pragma unroll
  for (int w = 0; w < static_cast<int>(sizeof(T) / 4); ++w)
    words[w] = reinterpret_cast<const volatile u32*>(p)[w];
  T value;
  memcpy(&value, words, sizeof(value));
  return value;
}

// Joins the partial results of the blocks of one row: true in the last one to
// arrive, whose first thread then has the result of all.
template <class Total>
FUSEAU_FN bool JoinBlocks(Total& total, i64 workspace, u64 row, u32 part,
                          u32 parts, u64 rows) {
  // Counters first, so that they are the part of the workspace that is zeroed.
  u32* counter = reinterpret_cast<u32*>(workspace) + row;
  Total* sums =
      reinterpret_cast<Total*>(workspace + static_cast<i64>((rows * 4 + 15) / 16 * 16)) +
      row * parts;
  __shared__ bool last;
  if (threadIdx.x == 0) {
    sums[part] = total;
    __threadfence();
    last = atomicAdd(counter, 1u) == parts - 1;
  }
  __syncthreads();
  if (!last) return false;
  __threadfence();
  for (u32 width = 2; width <= parts; width *= 2) {
    for (u32 t = threadIdx.x * width; t < parts; t += kThreads * width) {
      Total left = LoadShared(sums + t);
      left.Join(LoadShared(sums + t + width / 2));
      sums[t] = left;
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    total = LoadShared(sums);
    *counter = 0;  // for the next launch
  }
  return true;
}

// Rows joined along the innermost dimension. A block is (threads of a group,
// groups); grid.y blocks, a power of two, share a row.
template <class Kernel, class Args>
FUSEAU_FN void ReduceRows(const Args& args) {
  using Total = typename Kernel::Total;
  constexpr int kRank = Kernel::kRank;
  constexpr u64 kOuter = (u64{1} << (kRank - 1)) - 1;
  constexpr u64 kJoined = Kernel::kReduced & kOuter;
  __shared__ Piece<16> scratch[Kernel::kScratchBytes / 16];

  Kernel start(args);
  const u64 row = u64{blockIdx.x} * blockDim.y + threadIdx.y;
  Group group{static_cast<int>(blockDim.x), static_cast<int>(threadIdx.x),
              static_cast<int>(threadIdx.y), true};
  group.active = MoveTo<kOuter & ~kJoined>(args, row, start);
  const i64 n = args.value[kRank - 1];
  const int level = Log2(static_cast<int>(gridDim.y));

  Total total = Total::Identity();
  if constexpr (!Kernel::kAccumulates) {
    start.JoinRow(group, n, level, blockIdx.y, scratch, total);
  } else {
    u64 count = 1;
#pragma unroll
    for (int d = 0; d + 1 < kRank; ++d)
      if (kJoined >> d & 1) count *= static_cast<u64>(args.value[d]);
    if (group.active) total = Total::Held(start);
    for (u64 k = 0; k < count; ++k) {
      Kernel kernel = start;
      MoveTo<kJoined>(args, k, kernel);
      kernel.JoinRow(group, n, level, blockIdx.y, scratch, total);
    }
  }
  if constexpr (Kernel::kMaySplit) {
    if (gridDim.y > 1 &&
        !JoinBlocks(total, args.value[Kernel::kWorkspaceSlot], row, blockIdx.y,
                    gridDim.y, gridDim.x))
      return;
  }
  if (group.active && group.thread == 0) total.Store(start);
}

__device__ constexpr int HighestBit(u64 bits) {
  int place = -1;
  for (; bits != 0; bits >>= 1) ++place;
  return place;
}

// Columns joined along outer dimensions, a thread each, in order, on from what
// the results hold.
template <class Kernel, class Args>
FUSEAU_FN void ReduceColumns(const Args& args) {
  using Total = typename Kernel::Total;
  constexpr int kRank = Kernel::kRank;
  constexpr u64 kJoined = Kernel::kReduced;
  constexpr u64 kAll = kRank == 64 ? ~u64{0} : (u64{1} << kRank) - 1;
  constexpr int kLast = HighestBit(kJoined);
  Kernel start(args);
  if (!MoveTo<kAll & ~kJoined>(
          args, u64{blockIdx.x} * kThreads + threadIdx.x, start))
    return;
  u64 runs = 1;
#pragma unroll
  for (int d = 0; d < kLast; ++d)
    if (kJoined >> d & 1) runs *= static_cast<u64>(args.value[d]);
  Total total = Total::Held(start);
  const i64 n = args.value[kLast];
  for (u64 run = 0; run < runs; ++run) {
    Kernel kernel = start;
    if constexpr ((kJoined & (kJoined - 1)) != 0)
      MoveTo<kJoined & ~(u64{1} << kLast)>(args, run, kernel);
#pragma unroll 4
    for (i64 i = 0; i < n; ++i) {
      total.Join(Total::Of(kernel, 0));
      kernel.Move(args, kLast, 1);
    }
  }
  total.Store(start);
}

}  // namespace fuseau
