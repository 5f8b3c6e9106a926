// What an exposure means for the memory of a value.
#pragma once

#include "frontend/graph.h"

namespace fuseau {

// Foreign code begins or ends to see the bytes of a ready node.
inline void SetExposed(Node* node, bool exposed) {
  node->exposed = exposed;
  if (node->buffer) node->buffer->set_held(exposed);
}

}  // namespace fuseau
