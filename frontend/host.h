// What the language binding lends to evaluation.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace fuseau {

// All may stay null.
struct EvaluationHost {
  // Lets other threads of the language run, and waits until this one may again.
  void* (*release)() = nullptr;
  void (*acquire)(void* state) = nullptr;
  // Around work that may take long: arranges that an interrupt of the user sets
  // `cancel`. End tells whether that was done.
  bool (*begin_interruptible)(std::atomic<bool>* cancel) = nullptr;
  void (*end_interruptible)() = nullptr;
  // Notes where the program is, under a number up to Journal::kKept; and tells
  // such a place, "file:line", or where the program is now for -1.
  void (*note_place)(int64_t slot) = nullptr;
  std::string (*place)(int64_t slot) = nullptr;
  // A number for the line where the program is, 0 if there is none; and all
  // lines that have one, "file:line" by number.
  int32_t (*line)() = nullptr;
  std::vector<std::string> (*lines)() = nullptr;
};
inline EvaluationHost evaluation_host;

// Other threads of the language run while it lives.
class Released {
 public:
  Released()
      : state_(evaluation_host.release != nullptr ? evaluation_host.release()
                                                  : nullptr) {}
  ~Released() {
    if (evaluation_host.acquire != nullptr) evaluation_host.acquire(state_);
  }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  void* const state_;
};

}  // namespace fuseau
