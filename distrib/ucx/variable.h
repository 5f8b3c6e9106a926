// Settings that UCX takes from the environment alone.
#pragma once

#include <cstdlib>

namespace fuseau::distrib {

// A variable of the environment while UCX reads it. The user's own value stays.
// Other threads should not look at the environment meanwhile: ranks join when
// the program starts.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value)
      : name_(name), ours_(std::getenv(name) == nullptr) {
    if (ours_) setenv(name, value, 0);
  }
  ~ScopedVariable() {
    if (ours_) unsetenv(name_);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* const name_;
  const bool ours_;
};

}  // namespace fuseau::distrib
