#include "frontend/window.h"

#include <algorithm>

#include "runtime/base/settings.h"
#include "runtime/cpu/machine.h"

namespace fuseau {
namespace {

// How far a window may grow to end behind a write.
constexpr int64_t kPatience = 64;
// Operations that must have been seen to repeat, besides one repetition.
constexpr int64_t kEvidence = 64;

}  // namespace

void ReadWindowLimits() {
  window.operations = SettingInt("FUSEAU_WINDOW", 512);
  if (SettingBool("FUSEAU_EAGER", false)) window.operations = 0;
  window.max_bytes = runtime::PhysicalMemory() / 4;
  window.next_cut = window.operations;
}

bool EndsHere(const Graph& graph, bool write) {
  const int64_t patience = std::min(kPatience, window.operations / 8);
  return window.aligned || write ||
         graph.recorded() >= window.next_cut + patience;
}

void BeginWindow(const Graph& graph) {
  window.period = FindPeriod(graph, window.operations);
  RestartWindow(graph);
  window.aligned = window.period > 0;
}

void RestartWindow(const Graph& graph) {
  // What an evaluation has left belongs to the window that begins. Each
  // evaluation looks at all that is pending, so that must not grow.
  int64_t length = std::max(window.operations - graph.pending_count(),
                            std::min<int64_t>(window.operations, 1));
  if (window.period > 0 && length > window.period) {
    length -= length % window.period;
  }
  window.aligned = false;
  window.due = false;
  window.next_cut = graph.recorded() + length;
}

int64_t FindPeriod(const Graph& graph, int64_t count) {
  const int64_t end = graph.recorded();
  count = std::min({count, end, Graph::kTokens});
  for (int64_t period = 1; period + std::max(period, kEvidence) <= count;
       ++period) {
    const int64_t first = end - std::max(period, kEvidence);
    bool repeats = true;
    for (int64_t i = end - 1; i >= first && repeats; --i) {
      repeats = graph.token(i) == graph.token(i - period);
    }
    if (repeats) return period;
  }
  return 0;
}

}  // namespace fuseau
