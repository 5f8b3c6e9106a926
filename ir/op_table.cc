#include "ir/op_table.h"

#include <iterator>

#include "absl/container/flat_hash_map.h"

namespace fuseau::ir {
namespace {

constexpr OpRow kRows[] = {
#define FUSEAU_OP_ROWS
#include "ir/op_table.inc"
#undef FUSEAU_OP_ROWS
};

}  // namespace

const OpRow& RowOf(OpCode op) { return kRows[static_cast<int>(op)]; }

int OpCount() { return static_cast<int>(std::size(kRows)); }

std::optional<OpCode> FindOp(absl::string_view name) {
  static const auto* const map = [] {
    auto* m = new absl::flat_hash_map<absl::string_view, OpCode>;
    for (int i = 0; i < OpCount(); ++i)
      m->emplace(kRows[i].name, static_cast<OpCode>(i));
    return m;
  }();
  auto it = map->find(name);
  if (it == map->end()) return std::nullopt;
  return it->second;
}

}  // namespace fuseau::ir
