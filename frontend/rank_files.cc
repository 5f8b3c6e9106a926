#include "frontend/rank_files.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

using passes::Distribution;
using runtime::BufferRef;

// So many bytes go to or from the file at once: their checksum finds them in
// the cache.
constexpr int64_t kPiece = int64_t{1} << 20;

// Python's exception for the present errno. "cannot read" what?
absl::Status FileError(absl::string_view what, const FilePlace& place) {
  const char* const exception = errno == ENOENT   ? "FileNotFoundError"
                                : errno == EACCES ? "PermissionError"
                                                  : "OSError";
  return PythonError(exception, absl::StrCat(what, " ", place.path, ": ",
                                             std::strerror(errno)));
}

class File {
 public:
  File(const FilePlace& place, int flags)
      : number_(open(place.path.c_str(), flags | O_CLOEXEC)) {}
  ~File() {
    if (number_ >= 0) close(number_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool ok() const { return number_ >= 0; }
  int number() const { return number_; }
  // Some file systems tell of a full disk when the file is closed.
  bool Close() { return close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

// Moves `bytes` bytes between memory and the file; `step` as pread and pwrite.
absl::StatusOr<uint32_t> Move(
    absl::string_view what, const FilePlace& place, int64_t offset, char* at,
    int64_t bytes, absl::FunctionRef<ssize_t(char*, size_t, off_t)> step) {
  uLong sum = crc32_z(0, nullptr, 0);
  while (bytes > 0) {
    const ssize_t moved =
        step(at, static_cast<size_t>(std::min(bytes, kPiece)), offset);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return FileError(what, place);
    if (moved == 0) {
      return PythonError(
          "OSError", absl::StrCat(what, " ", place.path, ": it ends at byte ",
                                  offset, ", ", bytes, " bytes too early"));
    }
    if (place.checksum) {
      sum = crc32_z(sum, reinterpret_cast<const Bytef*>(at),
                    static_cast<size_t>(moved));
    }
    at += moved;
    offset += moved;
    bytes -= moved;
  }
  return static_cast<uint32_t>(sum);
}

// Where this rank's own bytes are: in memory, in the file, and how many.
struct Own {
  char* data = nullptr;
  int64_t offset = 0;
  int64_t bytes = 0;
};

Own OwnOf(const RankPart& value, int rank, const FilePlace& place) {
  const size_t r = static_cast<size_t>(rank);
  const int64_t lo = value.distribution.cuts[r];
  const int64_t bytes = value.distribution.cuts[r + 1] - lo;
  if (bytes == 0) return {};
  return {value.part->data() + (lo - value.distribution.windows[r].lo),
          place.offset + lo, bytes};
}

// The checksum of a value from those of its parts, which all ranks give to all.
absl::StatusOr<uint32_t> Combine(distrib::Group* group, uint64_t run,
                                 const Distribution& value, uint32_t mine) {
  const int64_t ranks = group->size();
  constexpr int64_t kSum = sizeof(uint32_t);
  Distribution each;
  each.kind = Distribution::kCut;
  for (int64_t r = 0; r <= ranks; ++r) each.cuts.push_back(r * kSum);
  for (int64_t r = 0; r < ranks; ++r) {
    each.windows.push_back({r * kSum, (r + 1) * kSum});
  }
  runtime::Arena& arena = runtime::Arena::Global();
  FUSEAU_ASSIGN_OR_RETURN(const BufferRef own, arena.Allocate(kSum));
  FUSEAU_ASSIGN_OR_RETURN(const BufferRef all, arena.Allocate(ranks * kSum));
  std::memcpy(own->data(), &mine, kSum);
  FUSEAU_RETURN_IF_ERROR(Redistribute(group, run, ranks * kSum, each, own,
                                      Distribution(), all, nullptr));
  uLong sum = crc32_z(0, nullptr, 0);
  for (int64_t r = 0; r < ranks; ++r) {
    uint32_t part;
    std::memcpy(&part, all->data() + r * kSum, kSum);
    sum = crc32_combine(sum, part, value.cuts[r + 1] - value.cuts[r]);
  }
  return static_cast<uint32_t>(sum);
}

}  // namespace

void PutPlace(const FilePlace& place, WireWriter* command) {
  command->Put(place.path);
  command->Put(static_cast<uint64_t>(place.offset));
  command->Put(static_cast<uint64_t>(place.checksum));
}

absl::StatusOr<FilePlace> GetPlace(WireReader* command) {
  FilePlace place;
  place.path = command->GetText();
  place.offset = static_cast<int64_t>(command->Get());
  place.checksum = command->Get() != 0;
  if (!command->ok()) return absl::InternalError("a command that ends early");
  return place;
}

absl::StatusOr<uint32_t> StorePart(distrib::Group* group, uint64_t run,
                                   const RankPart& value,
                                   const FilePlace& place) {
  constexpr char kWhat[] = "cannot write to";
  const Own own = OwnOf(value, group->rank(), place);
  uint32_t sum = 0;
  if (own.bytes > 0) {
    File file(place, O_WRONLY);
    if (!file.ok()) return FileError(kWhat, place);
    FUSEAU_ASSIGN_OR_RETURN(
        sum, Move(kWhat, place, own.offset, own.data, own.bytes,
                  [&](char* data, size_t bytes, off_t offset) {
                    return pwrite(file.number(), data, bytes, offset);
                  }));
    if (!file.Close()) return FileError(kWhat, place);
  }
  if (!place.checksum) return 0;
  return Combine(group, run, value.distribution, sum);
}

absl::StatusOr<uint32_t> LoadPart(distrib::Group* group, uint64_t run,
                                  const RankPart& value,
                                  const FilePlace& place) {
  constexpr char kWhat[] = "cannot read from";
  const Own own = OwnOf(value, group->rank(), place);
  uint32_t sum = 0;
  if (own.bytes > 0) {
    const File file(place, O_RDONLY);
    if (!file.ok()) return FileError(kWhat, place);
    FUSEAU_ASSIGN_OR_RETURN(
        sum, Move(kWhat, place, own.offset, own.data, own.bytes,
                  [&](char* data, size_t bytes, off_t offset) {
                    return pread(file.number(), data, bytes, offset);
                  }));
  }
  if (!place.checksum) return 0;
  return Combine(group, run, value.distribution, sum);
}

}  // namespace fuseau
