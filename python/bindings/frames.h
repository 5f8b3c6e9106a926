// Where in the user's program we are.
#pragma once

#include "python/bindings/python.h"

namespace fuseau::python {

// Whether a frame is of the package itself, which is left out when a place is
// told.
bool IsOurs(PyFrameObject* frame);

// Lets operations be noted with the place that records them, for ranks that all
// run the program.
void ConnectPlaces();

}  // namespace fuseau::python
