// When recording stops to compute.
//
// A window ends after so many operations or bytes. Were that all, a loop would
// be cut at another place each time, and each window would be compiled anew. So
// a window ends behind a write into an array if there is one nearby, and once
// the operations are seen to repeat, windows are whole numbers of repetitions.
// It does not end at once but when the next operation begins: by then the
// language has dropped its temporaries, and names what it goes on with.
// All this depends on the program alone, never on time.
#pragma once

#include <cstdint>

#include "frontend/graph.h"

namespace fuseau {

struct Window {
  // Operations that a window should have; 0 means that each is computed at
  // once.
  int64_t operations = 512;
  // Bytes of pending values that end a window.
  int64_t max_bytes = INT64_MAX;
  // The count of recorded operations at which this one ends.
  int64_t next_cut = 512;
  // It has whole repetitions, so it ends where it should.
  bool aligned = false;
  // It ends when the next operation begins.
  bool due = false;
  // Operations of one repetition of the loop that was seen last; 0 if there was
  // none.
  int64_t period = 0;
};
inline Window window;

// Takes the limits from FUSEAU_WINDOW, FUSEAU_EAGER and the size of memory.
void ReadWindowLimits();
// Whether a window whose count is full ends here.
bool EndsHere(const Graph& graph, bool write);
// A new window begins because the last one was full.
void BeginWindow(const Graph& graph);
// A new window begins because somebody wanted a value.
void RestartWindow(const Graph& graph);

// After how many operations the latest ones repeat, judged by the last `count`
// ones; 0 if they do not.
int64_t FindPeriod(const Graph& graph, int64_t count);

}  // namespace fuseau
