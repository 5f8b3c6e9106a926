// The code of programs that are compiled ahead of time, for those who may not
// include the compiler.
#pragma once

#include "codegen/ahead.h"
#include "codegen/recording.h"
