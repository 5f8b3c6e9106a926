// The parts of a value that a message is made of.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "runtime/plan.h"

namespace fuseau::distrib {

// Where the bytes of the parts begin, if they are one run in the order of a
// message.
std::optional<int64_t> RunOffset(absl::Span<const runtime::CopyPart> parts);

// Between parts and the bytes of a message.
void Pack(absl::Span<const runtime::CopyPart> parts, const char* source,
          char* bytes);
void Unpack(absl::Span<const runtime::CopyPart> parts, const char* bytes,
            char* target);

// From part to part, which have as many bytes but may be cut differently. They
// do not overlap.
void CopyBetween(const runtime::CopyPart& from, const char* source,
                 const runtime::CopyPart& to, char* target);

}  // namespace fuseau::distrib
