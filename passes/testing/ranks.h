// Ranks as threads: values that they have in parts, and their traces side by
// side.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ir/trace.h"
#include "passes/partition.h"
#include "runtime/buffer.h"
#include "runtime/executor.h"
#include "runtime/transfer.h"

namespace fuseau::passes::testing {

// With bytes that do not look like a result.
runtime::BufferRef Allocate(int64_t bytes);

// Calls `f(offset)` for each run of a part.
template <typename F>
void ForEachRun(const runtime::CopyPart& part, F&& f, size_t d = 0,
                int64_t at = 0) {
  if (d == part.sizes.size()) return f(part.offset + at);
  for (int64_t i = 0; i < part.sizes[d]; ++i)
    ForEachRun(part, f, d + 1, at + i * part.strides[d]);
}

// The messages on their way from one rank to another, by exchange.
class Mailboxes {
 public:
  void Send(int from, int to, int64_t exchange, std::string bytes);
  // Empty after a while in which nothing came.
  std::string Receive(int from, int to, int64_t exchange);
  bool empty();

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::tuple<int, int, int64_t>, std::vector<std::string>> boxes_;
};

class MailExchanger : public runtime::Exchanger {
 public:
  MailExchanger(const Partition& partition, int rank, Mailboxes& mail)
      : partition_(partition), rank_(rank), mail_(mail) {}

  absl::Status Exchange(int64_t number, const char* source, char* target,
                        const std::atomic<bool>* cancel) override;
  absl::Status ExchangeRouted(int64_t number, const char* source,
                              const int64_t* counts, char* target,
                              const std::atomic<bool>* cancel) override;
  absl::Status Start(int64_t number, const char* source, char* target) override;
  absl::Status Finish(int64_t number, const std::atomic<bool>* cancel) override;
  void Progress() override {}
  void Drop() override { targets_.clear(); }

 private:
  void Send(int64_t number, const runtime::Transfer& transfer,
            const char* source, char* target);
  absl::Status Receive(int64_t number, const runtime::Transfer& transfer,
                       char* target);

  const Partition& partition_;
  const int rank_;
  Mailboxes& mail_;
  std::map<int64_t, char*> targets_;  // of exchanges that were started
};

// A value as the ranks have it.
struct Spread {
  Distribution distribution;
  std::vector<runtime::BufferRef> parts;  // null: none
};

bool Has(const Distribution& d, int rank);
Spread MakeSpread(const runtime::BufferRef& whole, const Distribution& d,
                  int ranks);
// One that some trace may have left.
Distribution RandomDistribution(int64_t bytes, int ranks, std::mt19937& random);
// That the parts are those of `want`; every copy if all ranks have it.
void ExpectIs(const Spread& spread, const runtime::BufferRef& want, int ranks);

enum class Tier { kInterpreter, kCompiled };

struct Ran {
  std::vector<Partition> partitions;  // by rank
  std::vector<Spread> outputs;
};

// Values of any size are cut.
inline PartitionOptions CutAll() {
  PartitionOptions options;
  options.min_bytes = 0;
  options.min_product = 0;
  return options;
}

// Partitions a trace for each rank and runs all of them.
void RunOnRanks(const ir::Trace& trace, const std::vector<Spread>& inputs,
                absl::Span<const runtime::ScalarValue> scalars, int ranks,
                Tier tier, Ran* ran,
                const PartitionOptions& options = CutAll());

}  // namespace fuseau::passes::testing
