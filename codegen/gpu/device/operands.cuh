// Operands of a kernel.

namespace fuseau {

// Sizes, addresses, strides and scalars (runtime/plan.h has their places), then
// the address of the workspace.
template <int n>
struct Slots {
  i64 value[n];
};

// How an operand moves along the innermost dimension.
enum Inner { kBackwards = -1, kBroadcast = 0, kContiguous = 1, kStrided = 2 };

// What one access moves.
template <int bytes>
struct alignas(bytes) Piece {
  u32 word[bytes / 4];
};
template <>
struct Piece<2> {
  u16 word;
};
template <>
struct Piece<1> {
  u8 word;
};

template <class T>
constexpr bool kIsBool = false;
template <>
constexpr bool kIsBool<bool> = true;

// A bool is a byte in memory.
template <class T>
FUSEAU_FN T LoadElement(const char* p) {
  if constexpr (kIsBool<T>) {
    return *reinterpret_cast<const u8*>(p) != 0;
  } else {
    return *reinterpret_cast<const T*>(p);
  }
}
template <class T>
FUSEAU_FN void StoreElement(char* p, T x) {
  *reinterpret_cast<T*>(p) = x;
}

// Operands are in the memory of the device, which the compiler can't know of a
// number: with that it need not ask at each access.
FUSEAU_FN char* Address(i64 slot) {
  char* p = reinterpret_cast<char*>(slot);
  FUSEAU_ASSUME_GLOBAL(p);
  return p;
}

// A scalar is in two slots.
template <class T, class Args>
FUSEAU_FN T Scalar(const Args& args, int slot) {
  return LoadElement<T>(reinterpret_cast<const char*>(&args.value[slot]));
}

// Elements in memory. `kSlot` is the place of the address, which is followed by
// `kRank` strides.
template <class T, Inner kInner, int kRank, int kSlot>
struct Operand {
  char* base;  // of the row's first element
  i64 stride;

  template <class Args>
  FUSEAU_METHOD explicit Operand(const Args& args)
      : base(Address(args.value[kSlot])),
        stride(kInner == kStrided ? args.value[kSlot + kRank]
                                  : int{kInner} * i64{sizeof(T)}) {}

  // To where dimension d is at `index`.
  template <class Args>
  FUSEAU_METHOD void Move(const Args& args, int d, i64 index) {
    base += index * args.value[kSlot + 1 + d];
  }
  FUSEAU_METHOD char* At(i64 i) const { return base + i * stride; }
  FUSEAU_METHOD T Load(i64 i) const {
    return LoadElement<T>(At(i));
  }
  FUSEAU_METHOD void Store(i64 i, T x) const {
    StoreElement(At(i), x);
  }

  // n elements in a row, by few accesses if their address allows.
  template <int n>
  FUSEAU_METHOD void Load(i64 i, T (&x)[n]) const {
    constexpr int kBytes = n * sizeof(T);
    constexpr int kPiece = kBytes < 16 ? kBytes : 16;
    if constexpr ((n > 1 || kBytes > 8) && kInner == kContiguous) {
      if (reinterpret_cast<i64>(At(i)) % kPiece == 0) {
        const auto* from = reinterpret_cast<const Piece<kPiece>*>(At(i));
        Piece<kPiece> pieces[kBytes / kPiece];
#pragma unroll
        for (int p = 0; p < kBytes / kPiece; ++p) pieces[p] = from[p];
        memcpy(x, pieces, kBytes);
        return;
      }
    }
#pragma unroll
    for (int k = 0; k < n; ++k) x[k] = Load(kInner == kBroadcast ? 0 : i + k);
  }
  template <int n>
  FUSEAU_METHOD void Store(i64 i, const T (&x)[n]) const {
    constexpr int kBytes = n * sizeof(T);
    constexpr int kPiece = kBytes < 16 ? kBytes : 16;
    if constexpr ((n > 1 || kBytes > 8) && kInner == kContiguous) {
      if (reinterpret_cast<i64>(At(i)) % kPiece == 0) {
        auto* to = reinterpret_cast<Piece<kPiece>*>(At(i));
        Piece<kPiece> pieces[kBytes / kPiece];
        memcpy(pieces, x, kBytes);
#pragma unroll
        for (int p = 0; p < kBytes / kPiece; ++p) to[p] = pieces[p];
        return;
      }
    }
#pragma unroll
    for (int k = 0; k < n; ++k) Store(i + k, x[k]);
  }

  // Whether the rows start at different places between two pieces of n
  // elements, or not at the start of one.
  template <int n, class Args>
  FUSEAU_METHOD static bool IsRagged(const Args& args) {
    i64 bits = args.value[kSlot];
#pragma unroll
    for (int d = 0; d + 1 < kRank; ++d) bits |= args.value[kSlot + 1 + d];
    return bits % (n * i64{sizeof(T)}) != 0;
  }
  // By how many elements the row's start is behind that of a piece.
  template <int n>
  FUSEAU_METHOD int Lead() const {
    return static_cast<int>(reinterpret_cast<u64>(base) / sizeof(T) % n);
  }
};

// Elements that are numbers in a row, not in memory.
template <class T, int kRank, int kSlot>
struct Iota {
  i64 first;
  i64 step;

  template <class Args>
  FUSEAU_METHOD explicit Iota(const Args& args)
      : first(args.value[kSlot]),
        step(kRank > 0 ? args.value[kSlot + kRank] : 0) {}

  template <class Args>
  FUSEAU_METHOD void Move(const Args& args, int d, i64 index) {
    first += index * args.value[kSlot + 1 + d];
  }
  FUSEAU_METHOD T Load(i64 i) const {
    return FromNumber(first + i * step, static_cast<T*>(nullptr));
  }
  template <int n>
  FUSEAU_METHOD void Load(i64 i, T (&x)[n]) const {
#pragma unroll
    for (int k = 0; k < n; ++k) x[k] = Load(i + k);
  }

 private:
  template <class U>
  FUSEAU_METHOD static U FromNumber(i64 number, const U*) {
    return static_cast<U>(number);
  }
  template <class U>
  FUSEAU_METHOD static Complex<U> FromNumber(i64 number,
                                                          const Complex<U>*) {
    return {static_cast<U>(number), U(0)};
  }
};

// a becomes a / b; gives the rest. Short numbers are divided faster.
FUSEAU_FN u64 DivideInPlace(u64& a, u64 b) {
  u64 rest;
  if ((a | b) >> 32 == 0) {
    const u32 quotient = static_cast<u32>(a) / static_cast<u32>(b);
    rest = static_cast<u32>(a) - quotient * static_cast<u32>(b);
    a = quotient;
  } else {
    const u64 quotient = a / b;
    rest = a - quotient * b;
    a = quotient;
  }
  return rest;
}

// Moves the kernel to point `index` of the dimensions in `dims` (bit d), of
// which the last one changes fastest. False if there is no such point.
template <u64 dims, class Kernel, class Args>
FUSEAU_FN bool MoveTo(const Args& args, u64 index, Kernel& kernel) {
#pragma unroll
  for (int d = Kernel::kRank - 1; d >= 0; --d) {
    if ((dims >> d & 1) == 0) continue;
    const i64 size = args.value[d];
    if (size <= 0) return false;
    if ((dims & ((u64{1} << d) - 1)) == 0) {
      if (index >= static_cast<u64>(size)) return false;
      kernel.Move(args, d, static_cast<i64>(index));
      return true;
    }
    kernel.Move(args, d,
                static_cast<i64>(DivideInPlace(index, static_cast<u64>(size))));
  }
  return index == 0;
}

}  // namespace fuseau
