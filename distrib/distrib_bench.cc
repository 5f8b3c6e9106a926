// Latency and bandwidth of a group of processes on this host, beside the same
// messages by plain calls of UCX that never sleep.
//
//   distrib_bench [ranks [pin]]
//
// Best of several batches, in microseconds. With "pin" ranks are bound to
// processors in turn.

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "distrib/clock.h"
#include "distrib/environment.h"
#include "distrib/join.h"
#include "distrib/testing/processes.h"
#include "distrib/ucx/library.h"

namespace fuseau::distrib {
namespace {

using runtime::Transfer;

constexpr int kBatches = 8;

Transfer::Message Part(int peer, int64_t offset, int64_t bytes) {
  return {peer, bytes, {{offset, bytes, {}, {}}}};
}

// The messages of one measurement: what this rank sends and gets.
struct Pattern {
  std::string name;
  Transfer transfer;
  int64_t bytes = 0;  // of the largest message
};

// Both neighbours of a ring.
Pattern Halo(int rank, int ranks, int64_t bytes) {
  const int next = (rank + 1) % ranks, previous = (rank + ranks - 1) % ranks;
  Pattern pattern{absl::StrCat("halo ", bytes, " B"), {}, bytes};
  if (next == previous) {
    pattern.transfer.sends = {Part(next, 0, bytes)};
    pattern.transfer.receives = {Part(next, 0, bytes)};
    return pattern;
  }
  pattern.transfer.sends = {Part(next, 0, bytes), Part(previous, 0, bytes)};
  pattern.transfer.receives = {Part(next, 0, bytes),
                               Part(previous, bytes, bytes)};
  return pattern;
}

// Everybody's number to everybody: a reduction, but for its sums.
Pattern AllToAll(int rank, int ranks) {
  Pattern pattern{"allreduce of one f64", {}, 8};
  for (int peer = 0; peer < ranks; ++peer) {
    if (peer == rank) continue;
    pattern.transfer.sends.push_back(Part(peer, 0, 8));
    pattern.transfer.receives.push_back(Part(peer, 8 * peer, 8));
  }
  return pattern;
}

// Calls of UCX, and nothing else.
class PlainUcx {
 public:
  explicit PlainUcx(Group* group) : ucx_(**LoadUcx()), group_(*group) {
    ucp_config_t* config = nullptr;
    ucx_.ucp_config_read(nullptr, nullptr, &config);
    ucx_.ucp_config_modify(config, "NET_DEVICES", "lo");
    ucp_params_t params{};
    params.field_mask = UCP_PARAM_FIELD_FEATURES;
    params.features = UCP_FEATURE_TAG;
    EXPECT_EQ(ucx_.ucp_init_version(UCP_API_MAJOR, UCP_API_MINOR, &params,
                                    config, &context_),
              UCS_OK);
    ucx_.ucp_config_release(config);
    ucp_worker_params_t worker_params{};
    EXPECT_EQ(ucx_.ucp_worker_create(context_, &worker_params, &worker_),
              UCS_OK);
    ucp_address_t* address = nullptr;
    size_t bytes = 0;
    EXPECT_EQ(ucx_.ucp_worker_get_address(worker_, &address, &bytes), UCS_OK);
    // Addresses may differ in length: they travel in pieces of one size.
    constexpr int64_t kRoom = 4096;
    std::vector<char> mine(kRoom), all(kRoom * group_.size());
    std::copy_n(reinterpret_cast<char*>(address), bytes, mine.data());
    Transfer transfer;
    for (int peer = 0; peer < group_.size(); ++peer) {
      if (peer == group_.rank()) continue;
      transfer.sends.push_back(Part(peer, 0, kRoom));
      transfer.receives.push_back(Part(peer, peer * kRoom, kRoom));
    }
    EXPECT_TRUE(
        group_.Exchange(1, transfer, mine.data(), all.data(), nullptr).ok());
    endpoints_.resize(group_.size());
    for (int peer = 0; peer < group_.size(); ++peer) {
      if (peer == group_.rank()) continue;
      ucp_ep_params_t ep_params{};
      ep_params.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS;
      ep_params.address =
          reinterpret_cast<const ucp_address_t*>(&all[peer * kRoom]);
      EXPECT_EQ(ucx_.ucp_ep_create(worker_, &ep_params, &endpoints_[peer]),
                UCS_OK);
    }
  }

  void Exchange(const Transfer& transfer, const char* source, char* target) {
    ucp_request_param_t params{};
    requests_.clear();
    for (const auto& message : transfer.receives) {
      requests_.push_back(ucx_.ucp_tag_recv_nbx(
          worker_, target + message.parts[0].offset, message.bytes,
          message.peer, ~uint64_t{0}, &params));
    }
    for (const auto& message : transfer.sends) {
      requests_.push_back(ucx_.ucp_tag_send_nbx(
          endpoints_[message.peer], source + message.parts[0].offset,
          message.bytes, group_.rank(), &params));
    }
    for (ucs_status_ptr_t request : requests_) {
      if (request == nullptr) continue;
      while (ucx_.ucp_request_check_status(request) == UCS_INPROGRESS) {
        if (ucx_.ucp_worker_progress(worker_) == 0) sched_yield();
      }
      ucx_.ucp_request_free(request);
    }
  }

 private:
  const UcxLibrary& ucx_;
  Group& group_;
  ucp_context_h context_ = nullptr;
  ucp_worker_h worker_ = nullptr;
  std::vector<ucp_ep_h> endpoints_;
  std::vector<ucs_status_ptr_t> requests_;
};

// Microseconds of one call.
template <typename Call>
double Measure(Group& group, int repeat, Call call) {
  double best = std::numeric_limits<double>::infinity();
  for (int batch = 0; batch < kBatches; ++batch) {
    EXPECT_TRUE(group.Agree({}).ok());
    const absl::Time begin = Now();
    for (int i = 0; i < repeat; ++i) call();
    best = std::min(best, absl::ToDoubleMicroseconds(Now() - begin) / repeat);
  }
  return best;
}

int Run(const std::string& pin) {
  const auto options = ReadEnvironment();
  if (!options.ok() || !options->has_value()) return 1;
  if (pin == "pin") {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((*options)->rank % std::thread::hardware_concurrency(), &set);
    sched_setaffinity(0, sizeof(set), &set);
  }
  absl::StatusOr<std::unique_ptr<Group>> joined = Join(**options);
  if (!joined.ok()) {
    std::fprintf(stderr, "%s\n", joined.status().ToString().c_str());
    return 1;
  }
  Group& group = **joined;
  const int rank = group.rank(), ranks = group.size();
  auto* const plain = new PlainUcx(&group);  // stays: it has nothing to tidy
  std::vector<Pattern> patterns;
  for (int64_t bytes : {8, 1024, 8192, 65536, 1 << 20, 16 << 20}) {
    patterns.push_back(Halo(rank, ranks, bytes));
  }
  patterns.push_back(AllToAll(rank, ranks));
  for (const Pattern& pattern : patterns) {
    std::vector<char> source(pattern.bytes, 'a'),
        target(pattern.bytes * std::max(2, ranks));
    const int repeat = static_cast<int>(
        std::clamp<int64_t>((int64_t{64} << 20) / pattern.bytes, 4, 2000));
    uint64_t tag = 0;
    const double ours = Measure(group, repeat, [&] {
      EXPECT_TRUE(group
                      .Exchange(tag++, pattern.transfer, source.data(),
                                target.data(), nullptr)
                      .ok());
    });
    const double theirs = Measure(group, repeat, [&] {
      plain->Exchange(pattern.transfer, source.data(), target.data());
    });
    if (rank != 0) continue;
    std::printf("%-24s %10.2f us   plain UCX %10.2f us", pattern.name.c_str(),
                ours, theirs);
    if (pattern.bytes >= 65536) {
      std::printf("   %6.2f GB/s each way",
                  static_cast<double>(pattern.bytes) / ours / 1e3);
    }
    std::printf("\n");
  }
  const double agree =
      Measure(group, 2000, [&] { EXPECT_TRUE(group.Agree({}).ok()); });
  const std::string words(1024, 'w');
  const double command = Measure(group, 2000, [&] {
    if (rank == 0) {
      EXPECT_TRUE(group.SendCommand(words).ok());
    } else {
      EXPECT_TRUE(group.NextCommand().ok());
    }
    EXPECT_TRUE(group.Agree({}).ok());
  });
  if (rank == 0) {
    std::printf("%-24s %10.2f us\n%-24s %10.2f us\n", "agree", agree,
                "1 KiB command + agree", command);
  }
  return testing::Test::HasFailure() ? 1 : 0;
}

}  // namespace
}  // namespace fuseau::distrib

int main(int argc, char** argv) {
  using namespace fuseau::distrib;
  if (const char* pin = std::getenv("FUSEAU_TEST_PROGRAM")) return Run(pin);
  int ranks = 2;
  if (argc > 1 && (!absl::SimpleAtoi(argv[1], &ranks) || ranks < 2)) return 2;
  Processes job(ranks);
  Variables variables;
  if (const char* tls = std::getenv("UCX_TLS")) variables["UCX_TLS"] = tls;
  job.StartAll(argc > 2 ? argv[2] : "free", variables);
  const bool pass = job.AllPass(absl::Minutes(2));
  std::printf("%d ranks\n%s", ranks, job.Output(0).c_str());
  return pass ? 0 : 1;
}
