// Who evaluates.
#pragma once

namespace fuseau {

// One evaluation at a time. It is begun and ended under the language's lock, so
// a flag is enough as long as nobody waits. Who waits lets the other threads of
// the language run, since the one that evaluates needs them to stop to put its
// results into the graph. The turn is handed to one who waits: were it free for
// a moment, a thread that evaluates in a loop would take it again and again,
// since it has the language's lock and who waits has not.
class EvaluationLock {
 public:
  EvaluationLock();
  ~EvaluationLock();
  EvaluationLock(const EvaluationLock&) = delete;
  EvaluationLock& operator=(const EvaluationLock&) = delete;

  // Between these two the calling thread has the turn. A second call of either
  // does nothing.
  static void Hold();
  static void LetGo();

 private:
  const bool turn_of_caller_;
};

}  // namespace fuseau
