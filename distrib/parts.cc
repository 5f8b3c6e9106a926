#include "distrib/parts.h"

#include <memory>

#include "runtime/base/dims.h"
#include "runtime/cpu/bytes.h"
#include "runtime/cpu/strided_copy.h"

namespace fuseau::distrib {
namespace {

using runtime::CopyPart;

int64_t BytesOf(const CopyPart& part) { return part.bytes * Count(part.sizes); }

bool IsRun(const CopyPart& part) {
  int64_t step = part.bytes;
  for (int i = static_cast<int>(part.sizes.size()) - 1; i >= 0; --i) {
    if (part.sizes[i] != 1 && part.strides[i] != step) return false;
    step *= part.sizes[i];
  }
  return true;
}

// The same elements in a row.
CopyPart Packed(const CopyPart& part) {
  return {0, part.bytes, part.sizes, DenseStrides(part.sizes, part.bytes)};
}

void CopySame(const CopyPart& from, const char* source, const CopyPart& to,
              char* target) {
  runtime::CopyStrided(target + to.offset, to.strides, source + from.offset,
                       from.strides, from.sizes, from.bytes);
}

}  // namespace

std::optional<int64_t> RunOffset(absl::Span<const CopyPart> parts) {
  if (parts.empty()) return std::nullopt;
  int64_t end = parts[0].offset;
  for (const CopyPart& part : parts) {
    if (part.offset != end || !IsRun(part)) return std::nullopt;
    end += BytesOf(part);
  }
  return parts[0].offset;
}

void Pack(absl::Span<const CopyPart> parts, const char* source, char* bytes) {
  for (const CopyPart& part : parts) {
    CopySame(part, source, Packed(part), bytes);
    bytes += BytesOf(part);
  }
}

void Unpack(absl::Span<const CopyPart> parts, const char* bytes, char* target) {
  for (const CopyPart& part : parts) {
    CopySame(Packed(part), bytes, part, target);
    bytes += BytesOf(part);
  }
}

void CopyBetween(const CopyPart& from, const char* source, const CopyPart& to,
                 char* target) {
  if (IsRun(from) && IsRun(to)) {
    runtime::CopyBytes(target + to.offset, source + from.offset, BytesOf(from));
  } else if (from.bytes == to.bytes && from.sizes == to.sizes) {
    CopySame(from, source, to, target);
  } else if (IsRun(from)) {
    Unpack({&to, 1}, source + from.offset, target);
  } else if (IsRun(to)) {
    Pack({&from, 1}, source, target + to.offset);
  } else {
    const std::unique_ptr<char[]> bytes(new char[BytesOf(from)]);
    Pack({&from, 1}, source, bytes.get());
    Unpack({&to, 1}, bytes.get(), target);
  }
}

}  // namespace fuseau::distrib
