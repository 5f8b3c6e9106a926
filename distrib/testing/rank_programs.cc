#include "distrib/testing/rank_programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/dims.h"

namespace fuseau::distrib {
namespace {

using runtime::CopyPart;
using runtime::Transfer;
using testing::HasSubstr;

constexpr int64_t kMiB = int64_t{1} << 20;

CopyPart Run(int64_t offset, int64_t bytes) { return {offset, bytes, {}, {}}; }

int Next(const Group& group) { return (group.rank() + 1) % group.size(); }
int Previous(const Group& group) {
  return (group.rank() + group.size() - 1) % group.size();
}

// What a rank has at a place, told apart from that of all others.
char Pattern(int rank, int64_t at) {
  return static_cast<char>(rank * 31 + at * 7 + (at >> 8) * 13 + (at >> 16));
}
std::vector<char> Filled(int rank, int64_t bytes) {
  std::vector<char> data(bytes);
  for (int64_t i = 0; i < bytes; ++i) data[i] = Pattern(rank, i);
  return data;
}

// To the next rank, from the previous one.
Transfer Ring(const Group& group, int64_t bytes) {
  Transfer transfer;
  if (group.size() == 1) return transfer;
  transfer.sends.push_back({Next(group), bytes, {Run(0, bytes)}});
  transfer.receives.push_back({Previous(group), bytes, {Run(0, bytes)}});
  return transfer;
}

void ExpectAgreement(Group& group) {
  const absl::StatusOr<Outcome> all = group.Agree({});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_TRUE(all->status.ok()) << all->status;
}

// Runs of bytes of all sizes, between small and large protocols.
void Sizes(Group& group) {
  if (group.size() == 1) return;
  uint64_t tag = 0;
  for (int64_t bytes : {int64_t{1}, int64_t{7}, int64_t{1000}, int64_t{8192},
                        int64_t{65537}, kMiB, 8 * kMiB + 5, 64 * kMiB}) {
    const std::vector<char> source = Filled(group.rank(), bytes);
    std::vector<char> target(bytes, 0);
    ASSERT_EQ(group.Exchange(tag++, Ring(group, bytes), source.data(),
                             target.data(), nullptr),
              absl::OkStatus());
    EXPECT_EQ(target, Filled(Previous(group), bytes)) << bytes << " bytes";
  }
  ExpectAgreement(group);
}

// Everybody gives everybody columns of a matrix, which arrive as rows, and
// keeps its own.
void StridedParts(Group& group) {
  constexpr int64_t kItem = 8, kRows = 37;
  const int n = group.size(), me = group.rank();
  const int64_t row = kItem * 3 * n;  // three columns for each rank
  const std::vector<char> source = Filled(me, kRows * row);
  std::vector<char> target(kRows * row, 0);
  const auto columns = [&](int rank) {
    return CopyPart{rank * 3 * kItem, 3 * kItem, {kRows}, {row}};
  };
  // Two parts, the later bytes first, cut differently from those of the sender.
  const int64_t block = kRows * 3 * kItem;
  const auto places = [&](int rank) -> std::vector<CopyPart> {
    const int64_t cut = 11 * 3 * kItem;
    return {Run(rank * block + block - cut, cut),
            Run(rank * block, block - cut)};
  };
  Transfer transfer;
  for (int peer = 0; peer < n; ++peer) {
    if (peer == me) continue;
    transfer.sends.push_back({peer, block, {columns(peer)}});
    transfer.receives.push_back({peer, block, places(peer)});
  }
  transfer.copies.push_back({columns(me), Run(me * block, block)});
  ASSERT_EQ(group.Exchange(1, transfer, source.data(), target.data(), nullptr),
            absl::OkStatus());
  for (int peer = 0; peer < n; ++peer) {
    const std::vector<char> theirs = Filled(peer, kRows * row);
    for (int64_t i = 0; i < block; ++i) {
      const int64_t from =
          me * 3 * kItem + i / (3 * kItem) * row + i % (3 * kItem);
      const int64_t at = peer == me ? i : (i + block - 11 * 3 * kItem) % block;
      ASSERT_EQ(target[peer * block + at], theirs[from])
          << "byte " << i << " of rank " << peer;
    }
  }
  ExpectAgreement(group);
}

// Rank 0 gives a large part to all, who give nothing; then the other way.
void OneSided(Group& group) {
  const int64_t bytes = 3 * kMiB;
  const int n = group.size();
  const std::vector<char> source = Filled(group.rank(), bytes);
  std::vector<char> target(bytes * n, 0);
  Transfer scatter, gather;
  for (int peer = 1; peer < n; ++peer) {
    if (group.rank() == 0) {
      scatter.sends.push_back({peer, bytes, {Run(0, bytes)}});
      gather.receives.push_back({peer, bytes, {Run(peer * bytes, bytes)}});
    }
  }
  if (group.rank() != 0) {
    scatter.receives.push_back({0, bytes, {Run(0, bytes)}});
    gather.sends.push_back({0, bytes, {Run(0, bytes)}});
  }
  ASSERT_EQ(group.Exchange(1, scatter, source.data(), target.data(), nullptr),
            absl::OkStatus());
  if (group.rank() != 0) {
    EXPECT_EQ(std::memcmp(target.data(), Filled(0, bytes).data(), bytes), 0);
  }
  ASSERT_EQ(group.Exchange(2, gather, source.data(), target.data(), nullptr),
            absl::OkStatus());
  if (group.rank() == 0) {
    for (int peer = 1; peer < n; ++peer) {
      EXPECT_EQ(std::memcmp(target.data() + peer * bytes,
                            Filled(peer, bytes).data(), bytes),
                0);
    }
  }
  ExpectAgreement(group);
}

// Many exchanges in a row: ranks run ahead of each other, and nothing gets out
// of order.
void ManyMessages(Group& group) {
  if (group.size() == 1) return;
  for (uint64_t i = 0; i < 2000; ++i) {
    const int64_t bytes = 8 + static_cast<int64_t>(i * i % 300);
    std::vector<char> source(bytes), target(bytes);
    std::memcpy(source.data(), &i, sizeof(i));
    source.back() = Pattern(group.rank(), static_cast<int64_t>(i));
    ASSERT_EQ(group.Exchange(i << 32 | 5, Ring(group, bytes), source.data(),
                             target.data(), nullptr),
              absl::OkStatus());
    uint64_t number = 0;
    std::memcpy(&number, target.data(), sizeof(number));
    if (bytes > 8) ASSERT_EQ(number, i);
    ASSERT_EQ(target.back(), Pattern(Previous(group), static_cast<int64_t>(i)));
  }
  ExpectAgreement(group);
}

// Two transfers under way at once, and a third one that is waited for, finished
// in another order than started. What was given may be overwritten meanwhile.
void Halves(Group& group) {
  if (group.size() == 1) return;
  for (int64_t bytes : {int64_t{8}, int64_t{30000}, 2 * kMiB}) {
    const Transfer ring = Ring(group, bytes);
    std::vector<char> targets[3];
    for (int i = 0; i < 3; ++i) {
      targets[i].resize(bytes);
      std::vector<char> source = Filled(group.rank() + i, bytes);
      if (i == 2) {
        ASSERT_EQ(
            group.Exchange(i, ring, source.data(), targets[i].data(), nullptr),
            absl::OkStatus());
      } else {
        ASSERT_EQ(group.Start(i, ring, source.data(), targets[i].data()),
                  absl::OkStatus());
      }
      std::fill(source.begin(), source.end(), 'x');
    }
    for (int turn = 0; turn < 100; ++turn) group.Progress();
    ASSERT_EQ(group.Finish(1, nullptr), absl::OkStatus());
    ASSERT_EQ(group.Finish(0, nullptr), absl::OkStatus());
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(targets[i], Filled(Previous(group) + i, bytes)) << bytes;
    EXPECT_EQ(group.Finish(0, nullptr).code(), absl::StatusCode::kInternal);
    ExpectAgreement(group);
  }
}

// A transfer is complete without a wait, as long as ranks let it move on.
void ProgressIsEnough(Group& group) {
  if (group.size() == 1) return;
  const std::vector<char> source = Filled(group.rank(), kMiB);
  std::vector<char> target(kMiB);
  const Transfer ring = Ring(group, kMiB);
  ASSERT_EQ(group.Start(1, ring, source.data(), target.data()),
            absl::OkStatus());
  const std::vector<char> want = Filled(Previous(group), kMiB);
  const absl::Time limit = absl::Now() + absl::Seconds(20);
  while (target != want && absl::Now() < limit) group.Progress();
  EXPECT_EQ(target, want);
  ASSERT_EQ(group.Finish(1, nullptr), absl::OkStatus());
  ExpectAgreement(group);
}

// Who fails gives up what it has started, and so do all others.
void DropAndGoOn(Group& group) {
  const int n = group.size();
  if (n == 1) return;
  int round = 0;
  for (int64_t bytes : {int64_t{64}, int64_t{30000}, 2 * kMiB}) {
    for (int failing = 0; failing < n; ++failing, ++round) {
      absl::Status status;
      {
        // Its memory goes before the run ends.
        const std::vector<char> source = Filled(group.rank() + round, bytes);
        std::vector<char> target(bytes), other(bytes);
        const Transfer ring = Ring(group, bytes);
        status = group.Start(1, ring, source.data(), target.data());
        if (status.ok() && group.rank() == failing) {
          status = absl::ResourceExhaustedError("no memory");
          group.Fail(status);
        }
        if (status.ok())
          status = group.Start(2, ring, source.data(), other.data());
        if (status.ok()) status = group.Finish(2, nullptr);
        group.Drop();
      }
      const absl::StatusOr<Outcome> all = group.Agree({status, 0});
      ASSERT_TRUE(all.ok()) << all.status();
      EXPECT_EQ(all->status.code(), absl::StatusCode::kResourceExhausted);
      const std::vector<char> fresh = Filled(group.rank() + round + 100, bytes);
      std::vector<char> target(bytes);
      ASSERT_EQ(group.Exchange(3, Ring(group, bytes), fresh.data(),
                               target.data(), nullptr),
                absl::OkStatus());
      EXPECT_EQ(target, Filled(Previous(group) + round + 100, bytes));
      ExpectAgreement(group);
    }
  }
}

std::string Command(int number, size_t bytes) {
  std::string command(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) {
    command[i] = static_cast<char>(number * 131 + i * 17 + (i >> 10));
  }
  return command;
}

// Commands of all sizes, without an answer between them.
void Commands(Group& group) {
  const size_t sizes[] = {0,    1,     100,     8183,    8184, 8185,
                          8192, 65536, 1 << 20, 8 << 20, 3};
  int number = 0;
  for (int repeat = 0; repeat < 3; ++repeat) {
    for (size_t bytes : sizes) {
      ++number;
      if (group.rank() == 0) {
        ASSERT_EQ(group.SendCommand(Command(number, bytes)), absl::OkStatus());
        continue;
      }
      const absl::StatusOr<std::string> command = group.NextCommand();
      ASSERT_TRUE(command.ok()) << command.status();
      ASSERT_EQ(*command == Command(number, bytes), true)
          << bytes << " bytes, got " << command->size();
    }
    ExpectAgreement(group);
  }
}

// A command, an exchange, an agreement, as programs do it.
void CommandRuns(Group& group) {
  for (int run = 0; run < 300; ++run) {
    if (group.rank() == 0) {
      ASSERT_EQ(group.SendCommand(absl::StrCat("run ", run)), absl::OkStatus());
    } else {
      const absl::StatusOr<std::string> command = group.NextCommand();
      ASSERT_TRUE(command.ok()) << command.status();
      ASSERT_EQ(*command, absl::StrCat("run ", run));
    }
    const std::vector<char> source = Filled(group.rank(), 100);
    std::vector<char> target(100);
    ASSERT_EQ(group.Exchange(run, Ring(group, 100), source.data(),
                             target.data(), nullptr),
              absl::OkStatus());
    Outcome mine;
    mine.float_flags = static_cast<uint8_t>(1 << group.rank());
    const absl::StatusOr<Outcome> all = group.Agree(mine);
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(all->float_flags, (1 << group.size()) - 1);
  }
}

// Each rank fails once without being waited for; then two at a time.
void FailuresInAgreement(Group& group) {
  const int n = group.size();
  for (int failing = 0; failing < n; ++failing) {
    Outcome mine;
    if (group.rank() == failing || group.rank() == failing + 1) {
      mine.status = absl::OutOfRangeError(
          absl::StrCat("it was too much for ", group.rank()));
      mine.status.SetPayload("fuseau/python_exception",
                             absl::Cord("IndexError"));
    }
    const absl::StatusOr<Outcome> all = group.Agree(mine);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(all->status.code(), absl::StatusCode::kOutOfRange);
    EXPECT_EQ(
        all->status.message(),
        absl::StrCat("rank ", failing, ": it was too much for ", failing));
    EXPECT_EQ(all->status.GetPayload("fuseau/python_exception"),
              absl::Cord("IndexError"));
  }
  ExpectAgreement(group);
}

// A rank fails while others wait for it, at several places of a run and with
// messages of several sizes under way. They all go on afterwards, and nothing
// of the run that failed is taken for what comes later.
void FailAndGoOn(Group& group) {
  const int n = group.size();
  if (n == 1) return;
  uint64_t tag = 0;
  int round = 0;
  for (int64_t bytes : {int64_t{64}, int64_t{30000}, 2 * kMiB}) {
    for (int failing = 0; failing < n; ++failing, ++round) {
      const std::vector<char> source = Filled(group.rank() + round, bytes);
      std::vector<char> target(bytes);
      const Transfer ring = Ring(group, bytes);
      // The failing rank does one exchange less.
      absl::Status status;
      for (int i = 0; i < 3 && status.ok(); ++i) {
        if (group.rank() == failing && i == round % 3) {
          status = absl::ResourceExhaustedError("no memory");
          group.Fail(status);
        } else {
          status = group.Exchange(tag + i, ring, source.data(), target.data(),
                                  nullptr);
        }
      }
      tag += 3;
      // Who needed nothing from that rank any more has no error.
      if (group.rank() == (failing + 1) % n) {
        EXPECT_FALSE(status.ok());
      }
      if (group.rank() != failing && !status.ok()) {
        EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
        EXPECT_EQ(status.message(),
                  absl::StrCat("rank ", failing, ": no memory"));
      }
      const absl::StatusOr<Outcome> all = group.Agree({status, 0});
      ASSERT_TRUE(all.ok()) << all.status();
      EXPECT_EQ(all->status.code(), absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(all->status.message(),
                absl::StrCat("rank ", failing, ": no memory"));
      EXPECT_EQ(group.Health(), absl::OkStatus());

      const std::vector<char> fresh = Filled(group.rank() + round + 100, bytes);
      ASSERT_EQ(group.Exchange(tag, ring, fresh.data(), target.data(), nullptr),
                absl::OkStatus());
      EXPECT_EQ(target, Filled(Previous(group) + round + 100, bytes));
      ++tag;
      ExpectAgreement(group);
    }
  }
}

// A rank gives up a wait because the run was cancelled there.
void Cancel(Group& group) {
  const int n = group.size();
  if (n == 1) return;
  const std::vector<char> source = Filled(group.rank(), kMiB);
  std::vector<char> target(kMiB);
  absl::Status status;
  if (group.rank() == 0) {
    std::atomic<bool> cancel{false};
    std::thread later([&] {
      absl::SleepFor(absl::Milliseconds(50));
      cancel = true;
    });
    Transfer transfer;
    transfer.receives.push_back({1, kMiB, {Run(0, kMiB)}});
    status = group.Exchange(0, transfer, source.data(), target.data(), &cancel);
    later.join();
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
    group.Fail(status);
  } else {
    Transfer transfer;  // waits for rank 0, which does not send
    transfer.receives.push_back({0, kMiB, {Run(0, kMiB)}});
    status = group.Exchange(0, transfer, source.data(), target.data(), nullptr);
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("rank 0: "));
  }
  const absl::StatusOr<Outcome> all = group.Agree({status, 0});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->status.code(), absl::StatusCode::kCancelled);
  ExpectAgreement(group);
}

// Ranks that do different exchanges find out.
void Divergence(Group& group) {
  if (group.size() == 1) return;
  const std::vector<char> source = Filled(group.rank(), 64);
  std::vector<char> target(64);
  const absl::Status status =
      group.Exchange(group.rank() == 0 ? 7 : 8, Ring(group, 64), source.data(),
                     target.data(), nullptr);
  if (!status.ok()) group.Fail(status);
  const absl::StatusOr<Outcome> all = group.Agree({status, 0});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(all->status.message()),
              HasSubstr("another exchange"));
  ExpectAgreement(group);
}

// Only rank 0 sends commands, only others get them.
void CommandsOfTheWrongRank(Group& group) {
  if (group.rank() == 0) {
    EXPECT_EQ(group.NextCommand().status().code(),
              absl::StatusCode::kFailedPrecondition);
  } else {
    EXPECT_EQ(group.SendCommand("mine").code(),
              absl::StatusCode::kFailedPrecondition);
  }
  ExpectAgreement(group);
}

void Hosts(Group& group) { EXPECT_EQ(group.hosts(), 1); }

// What must be alike and what may differ are told apart.
void StampsAndViews(Group& group) {
  const bool alone = group.size() == 1;
  const bool last = group.rank() == group.size() - 1;
  for (const bool other_stamp : {false, true}) {
    for (const bool other_view : {false, true}) {
      Outcome mine;
      mine.stamp = other_stamp && last ? 8 : 7;
      mine.view = other_view && last ? 2 : 3;
      const absl::StatusOr<Outcome> all = group.Agree(mine);
      ASSERT_TRUE(all.ok()) << all.status();
      EXPECT_EQ(all->unlike, other_stamp && !alone);
      EXPECT_EQ(all->status.ok(), !all->unlike) << all->status;
      EXPECT_EQ(all->views_differ, other_view && !alone);
    }
  }
}

// Texts of any size. The first messages of an exchange may come to a rank that
// still gathers.
void Gathers(Group& group) {
  for (const size_t bytes : {size_t{0}, size_t{5}, size_t{100'000}}) {
    const auto text_of = [&](int rank) {
      return std::string(bytes * (rank % 3), static_cast<char>('a' + rank));
    };
    const auto all = group.Gather(text_of(group.rank()));
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(all->size(), group.size());
    for (int rank = 0; rank < group.size(); ++rank) {
      EXPECT_EQ((*all)[rank], text_of(rank));
    }
    const std::vector<char> source = Filled(group.rank(), 1000);
    std::vector<char> target(1000);
    const absl::Status status =
        group.Exchange(TransferTag(1, 0), Ring(group, 1000), source.data(),
                       target.data(), nullptr);
    ASSERT_TRUE(status.ok()) << status;
    if (group.size() > 1) {
      EXPECT_EQ(target, Filled(Previous(group), 1000));
    }
    ExpectAgreement(group);
  }
}

constexpr RankProgram kPrograms[] = {
    {"Sizes", Sizes},
    {"StridedParts", StridedParts},
    {"OneSided", OneSided},
    {"ManyMessages", ManyMessages},
    {"Halves", Halves},
    {"ProgressIsEnough", ProgressIsEnough},
    {"DropAndGoOn", DropAndGoOn},
    {"Commands", Commands},
    {"CommandRuns", CommandRuns},
    {"FailuresInAgreement", FailuresInAgreement},
    {"Hosts", Hosts},
    {"StampsAndViews", StampsAndViews},
    {"Gathers", Gathers},
    {"FailAndGoOn", FailAndGoOn},
    {"Cancel", Cancel},
    {"Divergence", Divergence},
    {"CommandsOfTheWrongRank", CommandsOfTheWrongRank},
};

}  // namespace

absl::Span<const RankProgram> RankPrograms() { return kPrograms; }

}  // namespace fuseau::distrib
