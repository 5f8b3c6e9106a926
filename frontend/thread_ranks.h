// A job whose ranks are threads of this process: for tests, where it costs no
// processes and finds the same faults.
#pragma once

namespace fuseau {

// This process becomes rank 0 of so many.
void JoinThreadRanks(int ranks);
// After Ranks::Leave: waits for the threads, if there are any.
void AwaitThreadRanks();

}  // namespace fuseau
