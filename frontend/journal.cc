#include "frontend/journal.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "frontend/host.h"

namespace fuseau {
namespace {

std::string At(int64_t slot) {
  const std::string place =
      evaluation_host.place != nullptr ? evaluation_host.place(slot) : "";
  return place.empty() ? "" : absl::StrCat(" at ", place);
}

}  // namespace

void Journal::Add(ir::OpCode op, DType dtype, int rank, int64_t bytes) {
  if (entries_.empty()) entries_.resize(kKept);
  const int64_t slot = count_++ % kKept;
  entries_[slot] = {op, dtype, rank, bytes};
  for (const uint64_t word :
       {static_cast<uint64_t>(op) | static_cast<uint64_t>(dtype) << 8 |
            static_cast<uint64_t>(rank) << 16,
        static_cast<uint64_t>(bytes)}) {
    digest_ = (digest_ ^ word) * 0x9e3779b97f4a7c15u;
    digest_ ^= digest_ >> 32;
  }
  if (evaluation_host.note_place != nullptr) evaluation_host.note_place(slot);
}

// Lines: the number of the first operation, what the program does now, then the
// operations, each with its place after a tab.
std::string Journal::Tell(absl::string_view act) const {
  const int64_t first = std::max(confirmed_, count_ - kKept);
  std::string text = absl::StrCat(first, "\n", act, At(-1));
  for (int64_t i = first; i < count_; ++i) {
    const Entry& entry = entries_[i % kKept];
    absl::StrAppend(
        &text, "\nrecords `", ir::RowOf(entry.op).name, "` of ",
        Name(entry.dtype), ", ", entry.bytes, " bytes",
        entry.rank > 0 ? absl::StrCat(" in ", entry.rank, "-d") : "", "\t",
        At(i % kKept));
  }
  return text;
}

namespace {

// What a rank has told, read again.
struct Told {
  explicit Told(absl::string_view text) {
    const std::vector<std::string> lines = absl::StrSplit(text, '\n');
    if (!absl::SimpleAtoi(lines[0], &first)) first = 0;
    if (lines.size() > 1) act = lines[1];
    for (size_t i = 2; i < lines.size(); ++i) operations.push_back(lines[i]);
  }

  int64_t end() const {
    return first + static_cast<int64_t>(operations.size());
  }
  // Without its place: the program may come to the same operation by two ways.
  absl::string_view operation(int64_t number) const {
    const absl::string_view line = operations[number - first];
    return line.substr(0, line.find('\t'));
  }
  // Who records no more does something else.
  std::string doing(int64_t number) const {
    if (number >= end()) return act;
    return absl::StrReplaceAll(operations[number - first], {{"\t", ""}});
  }

  int64_t first = 0;  // number of the first operation
  std::string act;
  std::vector<std::string> operations;
};

// The number of the first operation that differs; the end of both if none does.
int64_t Parting(const Told& a, const Told& b) {
  int64_t number = std::max(a.first, b.first);
  while (number < a.end() && number < b.end() &&
         a.operation(number) == b.operation(number)) {
    ++number;
  }
  return number;
}

}  // namespace

std::string Journal::Compare(absl::Span<const std::string> told) {
  const Told first(told[0]);
  std::string text;
  int64_t earliest = INT64_MAX;
  for (size_t rank = 1; rank < told.size(); ++rank) {
    const Told other(told[rank]);
    const int64_t number = Parting(first, other);
    const bool same = number >= first.end() && number >= other.end();
    if (number >= earliest || (same && first.act == other.act)) continue;
    earliest = number;
    text = absl::StrCat(
        "after ", number, " operations that were the same, rank 0 ",
        first.doing(number), ", and rank ", rank, " ", other.doing(number));
  }
  if (!text.empty()) return text;
  return absl::StrCat("each of them ", first.act,
                      ", but other arrays, or with other numbers");
}

}  // namespace fuseau
