#include "codegen/machine_report.h"

#include "codegen/cpu/target.h"
#include "llvm/Config/llvm-config.h"
#include "runtime/kernel_store.h"
#include "runtime/thread_pool.h"

namespace fuseau::codegen {

MachineReport ReportMachine() {
  const Target& target = ProcessTarget();
  const runtime::KernelStore& store = runtime::KernelStore::Global();
  MachineReport report;
  report.threads = runtime::ThreadPool::Global().thread_count();
  report.cpu = target.cpu;
  report.vector_bits = 8 * target.VectorBytes();
  report.masks = target.HasMasks();
  report.llvm = LLVM_VERSION_STRING;
  if (store.enabled()) report.cache_folder = store.folder();
  return report;
}

}  // namespace fuseau::codegen
