// A rank's part of a value in a file.
//
// The bytes of the value lie in the file one after the other. The file is there
// and long enough; all ranks see the same file system. Every rank reads or
// writes the bytes that it owns, at their own offset, so nothing is gathered.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "distrib/group.h"
#include "frontend/rank_wire.h"
#include "frontend/rank_worker.h"

namespace fuseau {

struct FilePlace {
  std::string path;
  int64_t offset = 0;  // of the value's first byte
  // Whether the CRC-32 of the value's bytes is wanted: that of zlib, which zip
  // files have.
  bool checksum = false;
};

// A place as a part of a command.
void PutPlace(const FilePlace& place, WireWriter* command);
absl::StatusOr<FilePlace> GetPlace(WireReader* command);

// Both give the CRC-32 of the whole value (0 if it is not wanted), which the
// ranks combine from theirs: all call them with the same arguments, but for the
// part. The value is cut.
absl::StatusOr<uint32_t> StorePart(distrib::Group* group, uint64_t run,
                                   const RankPart& value,
                                   const FilePlace& place);
absl::StatusOr<uint32_t> LoadPart(distrib::Group* group, uint64_t run,
                                  const RankPart& value,
                                  const FilePlace& place);

}  // namespace fuseau
