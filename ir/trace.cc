#include "ir/trace.h"

#include <cstring>

namespace fuseau::ir {
namespace {

void Put(std::string* key, int64_t v) {
  char bytes[8];
  std::memcpy(bytes, &v, 8);
  key->append(bytes, 8);
}

}  // namespace

std::string TraceKey(const Trace& trace) {
  std::string key;
  key.reserve(96 * trace.nodes.size());
  for (const TraceNode& n : trace.nodes) {
    const char head[] = {
        static_cast<char>(n.op),
        static_cast<char>(n.dtype),
        static_cast<char>(n.shape.size()),
        static_cast<char>(n.operands.size()),
        static_cast<char>(n.donated),
        static_cast<char>(n.write_strides.size()),
        static_cast<char>(n.reduced.size()),
        static_cast<char>(n.attribute != 0),
    };
    key.append(head, sizeof(head));
    for (int64_t s : n.shape) Put(&key, s);
    for (const TraceOperand& o : n.operands) {
      Put(&key, (int64_t{o.value} << 8) | static_cast<int64_t>(o.dtype));
      Put(&key, o.offset);
      key.push_back(static_cast<char>(o.strides.size()));
      for (int64_t s : o.strides) Put(&key, s);
    }
    if (n.op == OpCode::kUpdate) Put(&key, n.write_offset);
    for (int64_t s : n.write_strides) Put(&key, s);
    if (n.attribute != 0) Put(&key, n.attribute);
    for (bool r : n.reduced) key.push_back(static_cast<char>(r));
  }
  for (int32_t o : trace.outputs) Put(&key, o);
  return key;
}

}  // namespace fuseau::ir
