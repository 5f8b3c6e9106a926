#include "distrib/pmix/rendezvous.h"

#include <dlfcn.h>
#include <pmix.h>

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

constexpr char kKey[] = "fuseau.store";

#define FUSEAU_PMIX_FUNCTIONS(F) \
  F(PMIx_Init)                   \
  F(PMIx_Finalize)               \
  F(PMIx_Put)                    \
  F(PMIx_Commit)                 \
  F(PMIx_Fence)                  \
  F(PMIx_Get)                    \
  F(PMIx_Error_string)

struct Library {
#define FUSEAU_PMIX_MEMBER(name) decltype(&::name) name = nullptr;
  FUSEAU_PMIX_FUNCTIONS(FUSEAU_PMIX_MEMBER)
#undef FUSEAU_PMIX_MEMBER
};

absl::StatusOr<Library> Load() {
  void* const handle = dlopen("libpmix.so.2", RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "this process was started by PMIx (PMIX_NAMESPACE is set), but its "
        "library could not be loaded: ",
        dlerror()));
  }
  Library library;
  const char* missing = nullptr;
#define FUSEAU_PMIX_LOAD(name)                                        \
  library.name =                                                      \
      reinterpret_cast<decltype(library.name)>(dlsym(handle, #name)); \
  if (library.name == nullptr) missing = #name;
  FUSEAU_PMIX_FUNCTIONS(FUSEAU_PMIX_LOAD)
#undef FUSEAU_PMIX_LOAD
  if (missing != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("libpmix.so.2 has no ", missing));
  }
  return library;
}

class PmixRendezvous : public Rendezvous {
 public:
  explicit PmixRendezvous(const Library& pmix) : pmix_(pmix) {}
  ~PmixRendezvous() override {
    if (started_) pmix_.PMIx_Finalize(nullptr, 0);
  }

  absl::Status Start() {
    FUSEAU_RETURN_IF_ERROR(
        Check(pmix_.PMIx_Init(&me_, nullptr, 0), "PMIx_Init"));
    started_ = true;
    all_ = me_;
    all_.rank = PMIX_RANK_WILDCARD;
    // The values that PMIx gives are a few bytes, and stay.
    pmix_value_t* value = nullptr;
    FUSEAU_RETURN_IF_ERROR(
        Check(pmix_.PMIx_Get(&all_, PMIX_JOB_SIZE, nullptr, 0, &value),
              "the size of the job"));
    if (value->type != PMIX_UINT32) {
      return absl::InternalError("PMIx tells no size of the job");
    }
    size_ = static_cast<int>(value->data.uint32);
    return absl::OkStatus();
  }

  int rank() const override { return static_cast<int>(me_.rank); }
  int size() const override { return size_; }

  absl::StatusOr<std::string> FromRoot(absl::string_view mine) override {
    if (rank() == 0) {
      std::string text(mine);
      pmix_value_t value{};
      value.type = PMIX_STRING;
      value.data.string = text.data();
      FUSEAU_RETURN_IF_ERROR(
          Check(pmix_.PMIx_Put(PMIX_GLOBAL, kKey, &value), "PMIx_Put"));
    }
    FUSEAU_RETURN_IF_ERROR(Check(pmix_.PMIx_Commit(), "PMIx_Commit"));
    pmix_info_t collect{};
    std::strncpy(collect.key, PMIX_COLLECT_DATA, PMIX_MAX_KEYLEN);
    collect.value.type = PMIX_BOOL;
    collect.value.data.flag = true;
    FUSEAU_RETURN_IF_ERROR(
        Check(pmix_.PMIx_Fence(&all_, 1, &collect, 1), "PMIx_Fence"));
    pmix_proc_t root = me_;
    root.rank = 0;
    pmix_value_t* value = nullptr;
    FUSEAU_RETURN_IF_ERROR(
        Check(pmix_.PMIx_Get(&root, kKey, nullptr, 0, &value), "PMIx_Get"));
    if (value->type != PMIX_STRING) {
      return absl::InternalError("PMIx tells nothing of rank 0");
    }
    return std::string(value->data.string);
  }

 private:
  absl::Status Check(pmix_status_t status, absl::string_view what) const {
    if (status == PMIX_SUCCESS) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("PMIx: ", what, ": ", pmix_.PMIx_Error_string(status)));
  }

  const Library pmix_;
  bool started_ = false;
  pmix_proc_t me_{};
  pmix_proc_t all_{};
  int size_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Rendezvous>> ConnectPmix() {
  FUSEAU_ASSIGN_OR_RETURN(const Library library, Load());
  auto rendezvous = std::make_unique<PmixRendezvous>(library);
  FUSEAU_RETURN_IF_ERROR(rendezvous->Start());
  return rendezvous;
}

}  // namespace fuseau::distrib
