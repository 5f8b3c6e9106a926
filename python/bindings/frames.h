// Where in the user's program we are.
#pragma once

#include "frontend/host.h"
#include "python/bindings/python.h"
#include "runtime/base/profile.h"

namespace fuseau::python {

// Whether a frame is of the package itself, which is left out when a place is
// told.
bool IsOurs(PyFrameObject* frame);

// Lets operations be noted with the place that records them: for ranks that all
// run the program, and for profiles.
void ConnectPlaces();

// While a profile runs: the line of the program has done this once more.
inline void CountHere(profile::Tally tally) {
  if (profile::On()) profile::Count(tally, evaluation_host.line());
}

}  // namespace fuseau::python
