#include "codegen/gpu/nvrtc.h"

#include <dlfcn.h>
#include <glob.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "codegen/gpu/emitter.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"

namespace fuseau::codegen::gpu {
namespace {

// Of NVRTC's interface, what is used; its header is not needed.
using Program = struct ProgramOfNvrtc*;
struct Functions {
  int (*version)(int* major, int* minor) = nullptr;
  const char* (*error)(int code) = nullptr;
  int (*create)(Program* program, const char* source, const char* name,
                int headers, const char* const* texts,
                const char* const* names) = nullptr;
  int (*destroy)(Program* program) = nullptr;
  int (*compile)(Program program, int options,
                 const char* const* texts) = nullptr;
  int (*log_size)(Program program, size_t* bytes) = nullptr;
  int (*log)(Program program, char* text) = nullptr;
  int (*cubin_size)(Program program, size_t* bytes) = nullptr;
  int (*cubin)(Program program, char* image) = nullptr;
  int (*ptx_size)(Program program, size_t* bytes) = nullptr;
  int (*ptx)(Program program, char* text) = nullptr;
};

struct Library {
  absl::Status status;
  std::string version;
  Functions functions;
};

void AddMatches(const std::string& pattern, std::vector<std::string>& paths) {
  glob_t found;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; ++i)
      paths.push_back(found.gl_pathv[i]);
  globfree(&found);
}

// Where NVIDIA's packages of PyPI put it.
void AddSitePackages(const std::string& site, std::vector<std::string>& paths) {
  AddMatches(absl::StrCat(site, "/nvidia/cu13/lib/libnvrtc.so.*"), paths);
  AddMatches(absl::StrCat(site, "/nvidia/cuda_nvrtc/lib/libnvrtc.so.*"), paths);
}

std::vector<std::string> Candidates() {
  std::vector<std::string> paths;
  Dl_info own;
  if (dladdr(reinterpret_cast<const void*>(&Candidates), &own) != 0 &&
      own.dli_fname != nullptr) {
    const std::string file = own.dli_fname;
    const size_t folder = file.rfind('/');
    if (folder != std::string::npos)
      AddSitePackages(absl::StrCat(file.substr(0, folder), "/.."), paths);
  }
  if (const char* environment = getenv("VIRTUAL_ENV"))
    AddSitePackages(absl::StrCat(environment, "/lib/python3*/site-packages"),
                    paths);
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* toolkit = getenv(name))
      AddMatches(absl::StrCat(toolkit, "/lib64/libnvrtc.so.*"), paths);
  AddMatches("/usr/local/cuda/lib64/libnvrtc.so.*", paths);
  paths.insert(paths.end(), {"libnvrtc.so.13", "libnvrtc.so.12"});
  return paths;
}

absl::Status Bind(void* handle, const std::string& path, Functions* functions) {
  std::string missing;
  auto bind = [&](auto& function, const char* name) {
    void* symbol = dlsym(handle, name);
    if (symbol == nullptr) missing = name;
    function =
        reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
  };
  bind(functions->version, "nvrtcVersion");
  bind(functions->error, "nvrtcGetErrorString");
  bind(functions->create, "nvrtcCreateProgram");
  bind(functions->destroy, "nvrtcDestroyProgram");
  bind(functions->compile, "nvrtcCompileProgram");
  bind(functions->log_size, "nvrtcGetProgramLogSize");
  bind(functions->log, "nvrtcGetProgramLog");
  bind(functions->cubin_size, "nvrtcGetCUBINSize");
  bind(functions->cubin, "nvrtcGetCUBIN");
  bind(functions->ptx_size, "nvrtcGetPTXSize");
  bind(functions->ptx, "nvrtcGetPTX");
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(path, " is not a usable NVRTC: it has no ", missing));
}

Library Load() {
  Library library;
  const std::string given = SettingString("FUSEAU_NVRTC", "");
  std::vector<std::string> paths =
      given.empty() ? Candidates() : std::vector<std::string>{given};
  for (const std::string& path : paths) {
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) continue;
    library.status = Bind(handle, path, &library.functions);
    if (!library.status.ok()) return library;
    int major = 0, minor = 0;
    library.functions.version(&major, &minor);
    library.version = absl::StrCat("nvrtc ", major, ".", minor);
    return library;
  }
  library.status = absl::FailedPreconditionError(
      given.empty()
          ? "kernels for a GPU need NVIDIA's run-time compiler, which was not "
            "found: `pip install nvidia-cuda-nvrtc`, or name libnvrtc.so in "
            "FUSEAU_NVRTC"
          : absl::StrCat("FUSEAU_NVRTC names ", given,
                         ", which cannot be loaded"));
  return library;
}

const Library& GetLibrary() {
  static const Library* const library = new Library(Load());
  return *library;
}

std::string Text(int (*size)(Program, size_t*), int (*get)(Program, char*),
                 Program program) {
  size_t bytes = 0;
  if (size(program, &bytes) != 0 || bytes == 0) return "";
  std::string text(bytes, '\0');
  if (get(program, text.data()) != 0) return "";
  return text;
}

}  // namespace

absl::Status NvrtcStatus() { return GetLibrary().status; }
std::string NvrtcVersion() { return GetLibrary().version; }

std::vector<std::string> NvrtcOptions(int arch) {
  // Products are not contracted with sums: every operation rounds by itself, as
  // in NumPy. The report of ptxas goes to the log.
  return {absl::StrCat("--gpu-architecture=sm_", arch), "--fmad=false",
          "--std=c++17", "--minimal", "--ptxas-options=-v"};
}

absl::StatusOr<NvrtcOutput> CompileWithNvrtc(const std::string& name,
                                             const std::string& code, int arch,
                                             bool with_ptx) {
  const Library& library = GetLibrary();
  FUSEAU_RETURN_IF_ERROR(library.status);
  const Functions& nvrtc = library.functions;
  const std::string source = absl::StrCat("#include \"fuseau.cuh\"\n", code);
  const std::string file = absl::StrCat(name, ".cu");
  const char* const texts[] = {Prelude().c_str()};
  const char* const names[] = {"fuseau.cuh"};
  Program program = nullptr;
  if (const int error =
          nvrtc.create(&program, source.c_str(), file.c_str(), 1, texts, names))
    return absl::InternalError(absl::StrCat("NVRTC takes no program for ", name,
                                            ": ", nvrtc.error(error)));
  const std::vector<std::string> options = NvrtcOptions(arch);
  std::vector<const char*> words;
  for (const std::string& option : options) words.push_back(option.c_str());
  const int error =
      nvrtc.compile(program, static_cast<int>(words.size()), words.data());
  NvrtcOutput output;
  output.log = Text(nvrtc.log_size, nvrtc.log, program);
  while (!output.log.empty() && output.log.back() == '\0')
    output.log.pop_back();
  if (error == 0) {
    output.image = Text(nvrtc.cubin_size, nvrtc.cubin, program);
    if (with_ptx) output.ptx = Text(nvrtc.ptx_size, nvrtc.ptx, program);
  }
  nvrtc.destroy(&program);
  if (error != 0)
    return absl::InternalError(
        absl::StrCat("NVRTC failed on ", name, " for sm_", arch, ": ",
                     nvrtc.error(error), "\n", output.log));
  if (output.image.empty())
    return absl::InternalError(
        absl::StrCat("NVRTC gave no code of ", name, " for sm_", arch));
  return output;
}

}  // namespace fuseau::codegen::gpu
