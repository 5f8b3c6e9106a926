#include "codegen/gpu/emulate.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/Support/xxhash.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"

extern char** environ;

namespace fuseau::codegen::gpu {

const std::string& EmulationHeader();

namespace {

// A folder that goes with what is in it.
class TemporaryFolder {
 public:
  static absl::StatusOr<std::string> Make() {
    const char* parent = getenv("TMPDIR");
    std::string path =
        absl::StrCat(parent != nullptr && *parent != '\0' ? parent : "/tmp",
                     "/fuseau-XXXXXX");
    if (mkdtemp(path.data()) == nullptr)
      return absl::InternalError(
          absl::StrCat("cannot make the folder ", path, ": ", strerror(errno)));
    return path;
  }
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    for (const std::string& file : files_) unlink(file.c_str());
    rmdir(path_.c_str());
  }
  std::string File(absl::string_view name) {
    return files_.emplace_back(absl::StrCat(path_, "/", name));
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

absl::Status Write(const std::string& path, absl::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush())
    return absl::InternalError(absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Runs the command, whose messages go to the file, and waits for it.
absl::Status RunCommand(const std::vector<std::string>& command,
                        const std::string& messages) {
  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, messages.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], &actions, nullptr,
                                 arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return absl::FailedPreconditionError(
        absl::StrCat("the emulated device needs a C++ compiler, but ",
                     command[0], " does not start: ", strerror(error)));
  int state = 0;
  while (waitpid(child, &state, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the compiler of the emulated device failed: ",
                   absl::StrJoin(command, " "), "\n", Read(messages)));
}

std::string Compiler(const EmulationOptions& options) {
  if (!options.compiler.empty()) return options.compiler;
  const std::string set = SettingString("FUSEAU_EMULATION_CXX", "");
  if (!set.empty()) return set;
  return access(FUSEAU_CXX, X_OK) == 0 ? FUSEAU_CXX : "c++";
}

// Arithmetic as on the device: nothing contracted, integers wrap around.
std::vector<std::string> Flags(const EmulationOptions& options) {
  std::vector<std::string> flags = {"-std=c++17",
                                    "-O1",
                                    "-fPIC",
                                    "-shared",
                                    "-w",
                                    "-fvisibility=hidden",
                                    "-ffp-contract=off",
                                    "-fno-strict-aliasing",
                                    "-fno-math-errno"};
#if defined(__x86_64__)
  // A fused multiply-add that is one.
  if (__builtin_cpu_supports("fma")) flags.push_back("-mfma");
#endif
  if (options.sanitize) flags.push_back("-fsanitize=address");
  return flags;
}

const std::string& PreludeOf(const EmulationOptions& options) {
  return options.prelude != nullptr ? *options.prelude : Prelude();
}

}  // namespace

std::string EmulationKey(const EmulationOptions& options) {
  return absl::StrCat("emulation ", Compiler(options), " ",
                      absl::StrJoin(Flags(options), " "), " ",
                      llvm::xxh3_64bits(EmulationHeader()), " ",
                      llvm::xxh3_64bits(PreludeOf(options)));
}

absl::StatusOr<std::string> CompileForEmulation(
    absl::Span<const GpuSource> sources, const EmulationOptions& options) {
  FUSEAU_ASSIGN_OR_RETURN(std::string path, TemporaryFolder::Make());
  TemporaryFolder folder(std::move(path));
  const std::string header = folder.File("emulation.h");
  FUSEAU_RETURN_IF_ERROR(Write(header, EmulationHeader()));
  FUSEAU_RETURN_IF_ERROR(Write(folder.File("fuseau.cuh"), PreludeOf(options)));
  std::string text = "#include \"emulation.h\"\n#include \"fuseau.cuh\"\n";
  absl::flat_hash_map<std::string, std::string> known;
  for (const GpuSource& source : sources) {
    auto [it, is_new] = known.try_emplace(source.name, source.code);
    if (it->second != source.code)
      return absl::InternalError(
          absl::StrCat("two kernels have the name ", source.name));
    if (!is_new) continue;
    absl::StrAppend(&text, source.code, "FUSEAU_EMULATED_KERNEL(", source.name,
                    ", ", source.slots, ")\n");
  }
  const std::string kernels = folder.File("kernels.cc");
  FUSEAU_RETURN_IF_ERROR(Write(kernels, text));
  const std::string image = folder.File("image.so");
  std::vector<std::string> command = {Compiler(options)};
  for (std::string& flag : Flags(options)) command.push_back(std::move(flag));
  command.insert(command.end(), {"-o", image, kernels});
  FUSEAU_RETURN_IF_ERROR(RunCommand(command, folder.File("messages")));
  return Read(image);
}

}  // namespace fuseau::codegen::gpu
