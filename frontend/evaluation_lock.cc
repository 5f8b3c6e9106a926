#include "frontend/evaluation_lock.h"

#include <pthread.h>

#include <condition_variable>
#include <mutex>

#include "frontend/host.h"

namespace fuseau {
namespace {

struct Turn {
  // Down to `holder`: under the language's lock.
  bool busy = false;
  int waiting = 0;
  bool held = false;  // by Hold, called by `holder`
  pthread_t holder = {};
  std::mutex mutex;
  std::condition_variable given;
  bool is_given = false;  // to one of those who wait; under the mutex
};

// Lives for ever. The threads that had it do not exist in a child process.
Turn* turn = [] {
  pthread_atfork(nullptr, nullptr, [] { turn = new Turn; });
  return new Turn;
}();

bool IsHolder() {
  return turn->held && pthread_equal(turn->holder, pthread_self()) != 0;
}

void Wait(Turn* turn) {
  ++turn->waiting;
  {
    Released released;
    std::unique_lock lock(turn->mutex);
    turn->given.wait(lock, [&] { return turn->is_given; });
    turn->is_given = false;
  }
  --turn->waiting;
}

void Take() {
  if (turn->busy) Wait(turn);
  turn->busy = true;
}

void Give() {
  turn->busy = turn->waiting > 0;
  if (!turn->busy) return;
  const std::lock_guard lock(turn->mutex);
  turn->is_given = true;
  turn->given.notify_one();
}

}  // namespace

EvaluationLock::EvaluationLock() : turn_of_caller_(IsHolder()) {
  if (!turn_of_caller_) Take();
}

EvaluationLock::~EvaluationLock() {
  if (!turn_of_caller_) Give();
}

void EvaluationLock::Hold() {
  if (IsHolder()) return;
  Take();
  turn->held = true;
  turn->holder = pthread_self();
}

void EvaluationLock::LetGo() {
  if (!IsHolder()) return;
  turn->held = false;
  Give();
}

}  // namespace fuseau
