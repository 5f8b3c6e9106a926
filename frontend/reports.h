// What users may ask about the work behind their arrays.
#pragma once

#include "codegen/kernel_report.h"

namespace fuseau {

using codegen::KernelReport;
using codegen::KernelReports;

}  // namespace fuseau
