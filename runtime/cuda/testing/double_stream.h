// Streams and events of the driver double.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace fuseau::runtime::cuda::testing {

// The moment of a stream that an event stands for.
class Moment {
 public:
  void Reach();
  void Wait();

 private:
  std::mutex mutex_;
  std::condition_variable reached_;
  bool done_ = false;
};

// Does operations in order on a thread of its own, each after a delay: what
// another stream does meanwhile, or reads too early, shows.
class DoubleStream {
 public:
  explicit DoubleStream(const std::atomic<int>* delay_us);
  // Does what was asked for.
  ~DoubleStream();
  DoubleStream(const DoubleStream&) = delete;
  DoubleStream& operator=(const DoubleStream&) = delete;

  void Add(std::function<void()> operation);
  void Synchronize();

 private:
  void Work();

  const std::atomic<int>* const delay_us_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool busy_ = false;
  bool stop_ = false;
  std::thread thread_;
};

struct DoubleEvent {
  std::shared_ptr<Moment> moment;  // null: never recorded
};

}  // namespace fuseau::runtime::cuda::testing
