#include "codegen/cpu/target.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "runtime/base/log.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"

namespace fuseau::codegen {
namespace {

VectorLevel HostLevel() {
  const llvm::StringMap<bool> f = llvm::sys::getHostCPUFeatures();
  auto has = [&](const char* name) { return f.lookup(name); };
  if (has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl"))
    return VectorLevel::kAvx512;
  if (has("avx2") && has("fma") && has("bmi2")) return VectorLevel::kAvx2;
  return VectorLevel::kSse;
}

Target HostTarget() {
  Target target;
  target.cpu = llvm::sys::getHostCPUName().str();
  // Sorted, so that the text can be part of a key.
  std::vector<std::string> features;
  for (const auto& f : llvm::sys::getHostCPUFeatures())
    features.push_back((f.second ? "+" : "-") + f.first().str());
  std::sort(features.begin(), features.end());
  for (const std::string& f : features)
    absl::StrAppend(&target.features, target.features.empty() ? "" : ",", f);
  target.level = HostLevel();
  return target;
}

}  // namespace

absl::StatusOr<Target> NamedTarget(absl::string_view isa) {
  if (isa.empty()) return HostTarget();
  Target target;
  target.cpu = std::string(isa);
  if (isa == "x86-64-v2") {
    target.level = VectorLevel::kSse;
  } else if (isa == "x86-64-v3") {
    target.level = VectorLevel::kAvx2;
  } else if (isa == "x86-64-v4") {
    target.level = VectorLevel::kAvx512;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown instruction set '", isa,
                     "': expected x86-64-v2, x86-64-v3 or x86-64-v4"));
  }
  return target;
}

absl::StatusOr<Target> MakeTarget(absl::string_view isa) {
  FUSEAU_ASSIGN_OR_RETURN(Target target, NamedTarget(isa));
  if (target.level > HostLevel())
    return absl::InvalidArgumentError(
        absl::StrCat("this machine cannot run code for ", isa));
  return target;
}

const Target& ProcessTarget() {
  static const Target* target = [] {
    auto made = MakeTarget(SettingString("FUSEAU_ISA", ""));
    if (made.ok()) return new Target(*std::move(made));
    LogWarning(
        absl::StrCat("FUSEAU_ISA is ignored: ", made.status().message()));
    return new Target(HostTarget());
  }();
  return *target;
}

}  // namespace fuseau::codegen
