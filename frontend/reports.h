// What users may ask about the work behind their arrays.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "codegen/explain.h"
#include "codegen/kernel_report.h"
#include "codegen/machine_report.h"
#include "frontend/graph.h"
#include "frontend/program.h"
#include "runtime/kernel_audit.h"

namespace fuseau {

using codegen::KernelReport;
using codegen::KernelReports;
using codegen::MachineReport;
using codegen::PlanReport;
using codegen::ReportMachine;
using codegen::StepReport;
using codegen::ValueReport;
using runtime::AuditedKernel;
using runtime::AuditKernels;

struct Explanation {
  bool pending = false;  // else the value is known, and the rest is empty
  Program::State program;
  PlanReport plan;
};

// How the value would be computed now. Compiles its kernels, computes nothing.
absl::StatusOr<Explanation> Explain(Node* node);

// The CUDA C++ of the kernels that computing the value on a GPU would launch;
// empty if it is known. Computes and compiles nothing.
absl::StatusOr<std::string> ShowKernels(Node* node, bool with_prelude);

}  // namespace fuseau
