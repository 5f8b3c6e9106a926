#include "python/bindings/interrupt.h"

#include <signal.h>

#include "python/bindings/python.h"

namespace fuseau::python {
namespace {

// One evaluation runs at a time, so these need no more than being atomic.
std::atomic<std::atomic<bool>*> cancel_flag{nullptr};
struct sigaction python_action;

void Handle(int signal, siginfo_t* info, void* context) {
  if (std::atomic<bool>* flag = cancel_flag.load()) flag->store(true);
  // Python notes the signal and raises KeyboardInterrupt when it runs again.
  if ((python_action.sa_flags & SA_SIGINFO) != 0) {
    python_action.sa_sigaction(signal, info, context);
  } else {
    python_action.sa_handler(signal);
  }
}

bool InMainThread() {
  static const unsigned long main_thread = PyThread_get_thread_ident();
  return PyThread_get_thread_ident() == main_thread;
}

}  // namespace

bool BeginInterruptible(std::atomic<bool>* cancel) {
  if (!InMainThread()) return false;
  if (sigaction(SIGINT, nullptr, &python_action) != 0) return false;
  const bool own = (python_action.sa_flags & SA_SIGINFO) != 0 ||
                   (python_action.sa_handler != SIG_DFL &&
                    python_action.sa_handler != SIG_IGN);
  if (!own) return false;
  cancel_flag.store(cancel);
  struct sigaction action = {};
  action.sa_sigaction = Handle;
  action.sa_flags = SA_SIGINFO | (python_action.sa_flags & SA_ONSTACK);
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGINT, &action, nullptr) != 0) return false;
  return true;
}

void EndInterruptible() {
  sigaction(SIGINT, &python_action, nullptr);
  cancel_flag.store(nullptr);
}

}  // namespace fuseau::python
