// What this process has recorded lately, and where in the program. Ranks that
// all run the program find out by it that they do not do the same, and where
// they parted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ir/op_table.h"
#include "runtime/base/dtype.h"

namespace fuseau {

class Journal {
 public:
  // A window fits several times.
  static constexpr int64_t kKept = 4096;

  void Add(ir::OpCode op, DType dtype, int rank, int64_t bytes);
  // Of everything that was recorded.
  uint64_t digest() const { return digest_; }
  // All that was recorded so far is the same on all ranks.
  void Confirm() { confirmed_ = count_; }

  // What was recorded since, and what the program does now.
  std::string Tell(absl::string_view act) const;
  // Where ranks that have told this differ from the first, in words.
  static std::string Compare(absl::Span<const std::string> told);

 private:
  struct Entry {
    ir::OpCode op;
    DType dtype;
    int32_t rank;
    int64_t bytes;
  };

  std::vector<Entry> entries_;  // kKept, once there is one
  int64_t count_ = 0;
  int64_t confirmed_ = 0;
  uint64_t digest_ = 0;
};

}  // namespace fuseau
