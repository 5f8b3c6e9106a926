// What this process may use of the machine: processors and memory, with the
// limits of control groups (containers, batch systems) taken into account.
#pragma once

#include <cstdint>

namespace fuseau::runtime {

// Processors that the affinity mask and the CPU quota leave us; at least 1.
int AvailableCpus();

// The size of main memory, or the control group's limit when that is lower.
int64_t PhysicalMemory();

// Bytes that can be used now without swapping or being killed: the system's
// estimate, or what is left of the control group's limit when that is lower.
// Takes some ten microseconds.
int64_t AvailableMemory();

// Bytes that may still be mapped under this process's own limit (ulimit -v),
// which counts memory that nobody has touched, too.
int64_t AddressRoom();

// With less room than this no thread is started and nothing is compiled: what
// they need on the way cannot fail without ending the process.
inline constexpr int64_t kWorkingRoom = int64_t{64} << 20;

// Whether the processor has the parts of AVX-512 that servers have had since
// Skylake (F, BW, DQ, VL), and whether also VBMI2, which packs bytes.
bool HasAvx512();
bool HasAvx512Vbmi2();

}  // namespace fuseau::runtime
