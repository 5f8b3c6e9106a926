// What a rank computes while an exchange is under way.
#pragma once

#include "runtime/plan.h"

namespace fuseau::runtime {

struct OverlapLimits {
  // What an exchange takes, about: until the neighbours are there and the link
  // has answered, and for each byte.
  double latency = 30e-6;
  double byte_seconds = 0.4e-9;
  // Less work than this is not worth a copy of what is sent.
  double least_seconds = 10e-6;
  // What a launch in pieces costs more: their calls, and each byte that is
  // saved for the outer ones. Twice that is to be gained at least.
  double piece_seconds = 1e-6;
  double saved_byte_seconds = 0.1e-9;

  // FUSEAU_OVERLAP_NS sets the least, and that exchanges take long and pieces
  // cost nothing: so tests reach all of it with small arrays.
  static OverlapLimits FromSettings();
};

// Turns exchanges into a start and a finish, where other work is found for the
// time between them: steps that do not depend on what comes from other ranks,
// and of launches that do the part that does not. What depends on it runs after
// the finish, in its old order, and so does what must not overtake that.
void OverlapExchanges(Plan* plan, const OverlapLimits& limits = {});

}  // namespace fuseau::runtime
