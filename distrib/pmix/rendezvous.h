// PMIx, as mpirun and srun have it: the ranks of a job learn who they are and
// pass a few words to each other.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fuseau::distrib {

// Stays until the process leaves the job: launchers take the end of a process
// without it for a crash.
class Rendezvous {
 public:
  virtual ~Rendezvous() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // What rank 0 gives, on all ranks. All of them call it, once.
  virtual absl::StatusOr<std::string> FromRoot(absl::string_view mine) = 0;
};

absl::StatusOr<std::unique_ptr<Rendezvous>> ConnectPmix();

}  // namespace fuseau::distrib
