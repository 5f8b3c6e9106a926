#include "runtime/cuda/testing/double_stream.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <utility>

namespace fuseau::runtime::cuda::testing {

void Moment::Reach() {
  const std::lock_guard lock(mutex_);
  done_ = true;
  reached_.notify_all();
}

void Moment::Wait() {
  std::unique_lock lock(mutex_);
  reached_.wait(lock, [&] { return done_; });
}

DoubleStream::DoubleStream(const std::atomic<int>* delay_us)
    : delay_us_(delay_us) {
  // Signals are for the threads of the program.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  thread_ = std::thread([this] { Work(); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

DoubleStream::~DoubleStream() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void DoubleStream::Add(std::function<void()> operation) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(operation));
  changed_.notify_all();
}

void DoubleStream::Synchronize() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.empty() && !busy_; });
}

void DoubleStream::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::function<void()> operation = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    const int delay = delay_us_->load(std::memory_order_relaxed);
    if (delay > 0)
      std::this_thread::sleep_for(std::chrono::microseconds(delay));
    operation();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace fuseau::runtime::cuda::testing
