// What a Python array is: a strided window of a Base.
#pragma once

#include <cstring>

#include "absl/types/span.h"
#include "frontend/graph.h"

namespace fuseau {

enum ArrayFlags : uint8_t {
  kWritable = 1,
  kCContiguous = 2,
  kFContiguous = 4,
  // Stands for one of NumPy's scalars: of rank 0, never written, hashable.
  kScalarFlag = 8,
  // The steps of the axes do not grow from the first to the last, as in a slice
  // of a C-contiguous array: NumPy visits the elements in the order of the
  // axes.
  kAxesInOrder = 16,
  // To NumPy the memory belongs to somebody else, so the array cannot be made
  // writable again.
  kForeign = 32,
};
inline constexpr uint8_t kLayoutFlags =
    kCContiguous | kFContiguous | kAxesInOrder;

// A value type; copies share the Base. Up to four dimensions need no
// allocation.
class Array {
 public:
  static constexpr int kInlineRank = 4;

  Array() = default;
  Array(const Array& other) { CopyFrom(other); }
  Array(Array&& other) noexcept { MoveFrom(other); }
  Array& operator=(const Array& other) {
    if (this != &other) {
      Clear();
      CopyFrom(other);
    }
    return *this;
  }
  Array& operator=(Array&& other) noexcept {
    if (this != &other) {
      Clear();
      MoveFrom(other);
    }
    return *this;
  }
  ~Array() {
    if (base_ || dims_ != inline_) Clear();
  }

  // Gives an array that is empty so far its dimensions, still to be filled in.
  void SetRank(int rank) {
    rank_ = static_cast<uint8_t>(rank);
    if (rank > kInlineRank) dims_ = new int64_t[2 * rank];
  }
  // Makes the array empty. Not in line, so that the destructor is, which mostly
  // finds nothing to do.
  void Clear();

  int rank() const { return rank_; }
  int64_t* shape_data() { return dims_; }
  int64_t* strides_data() { return dims_ + rank_; }
  const int64_t* shape_data() const { return dims_; }
  const int64_t* strides_data() const { return dims_ + rank_; }
  absl::Span<const int64_t> shape() const {
    return {dims_, static_cast<size_t>(rank_)};
  }
  absl::Span<const int64_t> strides() const {
    return {dims_ + rank_, static_cast<size_t>(rank_)};
  }
  int64_t size() const { return Count(shape()); }
  int64_t item_size() const { return ItemSize(dtype_); }

  Base* base() const { return base_.get(); }
  Node* node() const { return base_->cur; }
  void set_base(BaseRef base) { base_ = std::move(base); }
  bool has_base() const { return static_cast<bool>(base_); }
  int64_t offset() const { return offset_; }
  void set_offset(int64_t offset) { offset_ = offset; }
  DType dtype() const { return dtype_; }
  void set_dtype(DType dtype) { dtype_ = dtype; }

  uint8_t flags() const { return flags_; }
  bool has(ArrayFlags flag) const { return (flags_ & flag) != 0; }
  void set_flags(uint8_t flags) { flags_ = flags; }
  // Recomputes the flags that follow from sizes and strides.
  void UpdateLayout();

 private:
  void CopyFrom(const Array& other) {
    base_ = other.base_;
    CopyPlain(other);
    SetRank(other.rank_);
    std::memcpy(dims_, other.dims_, 2 * sizeof(int64_t) * rank_);
  }
  void MoveFrom(Array& other) {
    base_ = std::move(other.base_);
    CopyPlain(other);
    rank_ = other.rank_;
    if (other.dims_ != other.inline_) {
      dims_ = std::exchange(other.dims_, other.inline_);
    } else {
      std::memcpy(inline_, other.inline_, 2 * sizeof(int64_t) * rank_);
    }
    other.rank_ = 0;
  }
  void CopyPlain(const Array& other) {
    offset_ = other.offset_;
    dtype_ = other.dtype_;
    flags_ = other.flags_;
  }

  BaseRef base_;
  int64_t offset_ = 0;
  int64_t* dims_ = inline_;
  DType dtype_ = DType::kFloat64;
  uint8_t rank_ = 0;
  uint8_t flags_ = kWritable;
  int64_t inline_[2 * kInlineRank];
};

}  // namespace fuseau
