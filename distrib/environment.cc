#include "distrib/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "distrib/tag.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

// Reads variables as what they must be, or fails with their name.
class Variables {
 public:
  explicit Variables(const Lookup& lookup) : lookup_(lookup) {}

  bool Has(const char* name) const {
    const char* text = lookup_(name);
    return text != nullptr && *text != '\0';
  }
  std::string Text(const char* name) const {
    return Has(name) ? lookup_(name) : "";
  }
  absl::StatusOr<int64_t> Number(const char* name, int64_t least, int64_t most,
                                 std::optional<int64_t> fallback) const {
    if (!Has(name)) {
      if (fallback.has_value()) return *fallback;
      return absl::InvalidArgumentError(
          absl::StrCat(name, " is not set, but the job needs it"));
    }
    int64_t value = 0;
    if (!absl::SimpleAtoi(Text(name), &value) || value < least ||
        value > most) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, "=", Text(name), " does not make sense: expected ",
                       "a whole number from ", least, " to ", most));
    }
    return value;
  }

 private:
  const Lookup& lookup_;
};

absl::Status SetRanks(const Variables& variables, const char* rank,
                      const char* ranks, JoinOptions* options) {
  FUSEAU_ASSIGN_OR_RETURN(options->ranks,
                          variables.Number(ranks, 1, kMaxRanks, std::nullopt));
  FUSEAU_ASSIGN_OR_RETURN(
      options->rank,
      variables.Number(rank, 0, options->ranks - 1, std::nullopt));
  return absl::OkStatus();
}

// Whose token it is must be sure: the file is the user's and nobody else can
// read it.
absl::StatusOr<Token> ReadTokenFile(const std::string& path) {
  const Socket file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (!file.ok() || fstat(file.get(), &info) != 0) {
    return absl::NotFoundError(
        absl::StrCat("FUSEAU_TOKEN_FILE=", path, ": ", std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
      (info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("FUSEAU_TOKEN_FILE=", path,
                     " must be a file of this user that no other can read "
                     "(chmod 600)"));
  }
  char text[128];
  const ssize_t n = read(file.get(), text, sizeof(text));
  return ParseToken({text, n > 0 ? static_cast<size_t>(n) : 0});
}

absl::StatusOr<Token> ReadToken(const Variables& variables) {
  if (variables.Has("FUSEAU_TOKEN")) {
    return ParseToken(variables.Text("FUSEAU_TOKEN"));
  }
  if (variables.Has("FUSEAU_TOKEN_FILE")) {
    return ReadTokenFile(variables.Text("FUSEAU_TOKEN_FILE"));
  }
  return absl::FailedPreconditionError(
      "the ranks of a job need a token that no other user knows: 32 random "
      "hexadecimal digits in FUSEAU_TOKEN, or in a file that FUSEAU_TOKEN_FILE "
      "names; fuseau run makes one, and PMIx needs none (srun --mpi=pmix)");
}

// The first of a list like "n[03-07,9],m1".
std::string FirstHost(const std::string& list) {
  const size_t end = list.find_first_of(",[");
  std::string host = list.substr(0, end);
  if (end != std::string::npos && list[end] == '[') {
    const size_t digits = list.find_first_of(",-]", end);
    host += list.substr(end + 1, digits - end - 1);
  }
  return host;
}

// Slurm without PMIx names no port: all ranks take the same by the numbers of
// job and step, below those that the system gives to others.
absl::Status UseSlurm(const Variables& variables, JoinOptions* options) {
  FUSEAU_RETURN_IF_ERROR(
      SetRanks(variables, "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", options));
  FUSEAU_ASSIGN_OR_RETURN(
      const int64_t nodes,
      variables.Number("SLURM_STEP_NUM_NODES", 1, kMaxRanks, 1));
  FUSEAU_ASSIGN_OR_RETURN(
      const int64_t job,
      variables.Number("SLURM_JOB_ID", 0, INT64_MAX, std::nullopt));
  FUSEAU_ASSIGN_OR_RETURN(
      const int64_t step,
      variables.Number("SLURM_STEP_ID", 0, INT64_MAX, int64_t{0}));
  options->store.host = nodes == 1
                            ? "127.0.0.1"
                            : FirstHost(variables.Text("SLURM_STEP_NODELIST"));
  options->store.port = static_cast<int>(10000 + (job * 31 + step) % 20000);
  return absl::OkStatus();
}

// The variables of torchrun and others. MASTER_PORT itself is for the library
// that they were made for, which the program may use too.
absl::Status UseMaster(const Variables& variables, JoinOptions* options) {
  FUSEAU_RETURN_IF_ERROR(SetRanks(variables, "RANK", "WORLD_SIZE", options));
  FUSEAU_ASSIGN_OR_RETURN(
      const int64_t port,
      variables.Number("MASTER_PORT", 1, 65534, std::nullopt));
  options->store = {variables.Text("MASTER_ADDR"), static_cast<int>(port) + 1};
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<JoinOptions>> ReadEnvironment() {
  return ReadEnvironment([](const char* name) { return std::getenv(name); });
}

absl::StatusOr<std::optional<JoinOptions>> ReadEnvironment(
    const Lookup& lookup) {
  const Variables variables(lookup);
  JoinOptions options;
  if (variables.Has("FUSEAU_STORE")) {
    FUSEAU_RETURN_IF_ERROR(
        SetRanks(variables, "FUSEAU_RANK", "FUSEAU_RANKS", &options));
    FUSEAU_ASSIGN_OR_RETURN(options.store,
                            ParseHostPort(variables.Text("FUSEAU_STORE")));
    FUSEAU_ASSIGN_OR_RETURN(
        options.store_fd,
        variables.Number("FUSEAU_STORE_FD", 0, INT32_MAX, int64_t{-1}));
  } else if (variables.Has("PMIX_NAMESPACE")) {
    options.pmix = true;
  } else if (variables.Has("SLURM_PROCID") &&
             variables.Has("SLURM_STEP_NUM_TASKS")) {
    FUSEAU_RETURN_IF_ERROR(UseSlurm(variables, &options));
  } else if (variables.Has("RANK") && variables.Has("WORLD_SIZE") &&
             variables.Has("MASTER_ADDR") && variables.Has("MASTER_PORT")) {
    FUSEAU_RETURN_IF_ERROR(UseMaster(variables, &options));
  } else {
    return std::nullopt;
  }
  if (!options.pmix) {
    FUSEAU_ASSIGN_OR_RETURN(options.token, ReadToken(variables));
  }
  options.interface = variables.Text("FUSEAU_INTERFACE");
  if (variables.Has("FUSEAU_SPMD")) {
    const auto spmd =
        settings_internal::ParseBool(variables.Text("FUSEAU_SPMD"));
    if (!spmd.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("FUSEAU_SPMD=", variables.Text("FUSEAU_SPMD"),
                       " does not make sense: expected 0 or 1"));
    }
    options.spmd = *spmd;
  }
  FUSEAU_ASSIGN_OR_RETURN(
      const int64_t join,
      variables.Number("FUSEAU_JOIN_SECONDS", 1, 86400, int64_t{60}));
  options.join_time = absl::Seconds(join);
  FUSEAU_ASSIGN_OR_RETURN(
      const int64_t silence,
      variables.Number("FUSEAU_SILENCE_SECONDS", 1, 86400,
                       absl::ToInt64Seconds(options.silence)));
  options.silence = absl::Seconds(silence);
  return options;
}

}  // namespace fuseau::distrib
