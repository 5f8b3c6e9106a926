// What the recording functions share: reads of arrays over an iteration space,
// and arrays made of new nodes.
#pragma once

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "frontend/array.h"
#include "frontend/layout.h"
#include "frontend/promotion.h"

namespace fuseau {

// One read of a recorded operation: a window of a node over the operation's
// axes, or a number.
struct Read {
  Node* node = nullptr;  // null: the number
  NodeRef made;          // keeps a node that was made for this read
  int64_t offset = 0;
  DType dtype = DType::kFloat64;
  char scalar[16];
  int64_t strides[kMaxRank];  // not initialised
};

// Binds the present value of the array, without strides. A known number is
// taken as such.
void BindValue(const Array& array, Read* read);

// The same over the axes of a result with `rank` dimensions.
void BindArray(const Array& array, int rank, Read* read);

// Binds an operand and converts it to `dtype`.
absl::Status BindOperand(const Operand& operand, int rank,
                         absl::Span<const int64_t> shape, DType dtype,
                         Read* read);

// Makes the read one of `dtype`. The cast is a node of its own over the axes
// along which the read moves.
void CastRead(int rank, const int64_t* shape, DType dtype, Read* read);

// Adds the read as operand `k`, its axes taken in the order `axes`; null means
// as they are.
void AddRead(const Read& read, const uint8_t* axes, int k, Node* node);

// No array is larger.
int64_t MemoryLimit();

// The bytes of an array, or NumPy's error if memory cannot hold it.
absl::StatusOr<int64_t> CheckedBytes(absl::Span<const int64_t> shape,
                                     DType dtype);

// An array over the whole of a new node, whose reference it takes over. The
// node's axes lie in memory in the order `axes`; null means C order.
void MakeArray(Node* node, DType dtype, absl::Span<const int64_t> shape,
               const uint8_t* axes, uint8_t flags, Array* out);

// An array without elements, or (with elements) of any content.
absl::Status MakeUninitialized(DType dtype, absl::Span<const int64_t> shape,
                               const uint8_t* axes, uint8_t flags, Array* out);

}  // namespace fuseau
