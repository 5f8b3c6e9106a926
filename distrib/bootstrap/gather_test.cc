#include "distrib/bootstrap/gather.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "distrib/bootstrap/frame.h"
#include "distrib/clock.h"
#include "distrib/wire.h"

namespace fuseau::distrib {
namespace {

using testing::HasSubstr;

constexpr absl::Duration kLimit = absl::Seconds(20);
// The patience of rank 0 with a stranger is longer than that.
constexpr absl::Duration kSoon = absl::Seconds(5);

Hello SomeHello(uint32_t ranks, const std::string& name) {
  Hello hello;
  hello.ranks = ranks;
  hello.build = "build";
  hello.ucx = "1.13.1";
  hello.host = name;
  hello.address = absl::StrCat("address of ", name);
  return hello;
}

// Rank 0 on a thread.
class GatherTest : public testing::Test {
 protected:
  void Begin(uint32_t ranks, absl::Duration limit = kLimit) {
    ranks_ = ranks;
    listener_ = *Listen({"127.0.0.1", 0});
    root_ = {"127.0.0.1", *PortOf(listener_)};
    meeting_ = std::async(std::launch::async, [this, limit] {
      return Gather(listener_, token_, SomeHello(ranks_, "root"), 10,
                    Now() + limit);
    });
  }
  std::future<absl::StatusOr<Meeting>> Rank(int rank) {
    return Rank(rank, token_, SomeHello(ranks_, absl::StrCat("host", rank)));
  }
  std::future<absl::StatusOr<Meeting>> Rank(int rank, Token token,
                                            Hello hello) {
    return std::async(std::launch::async, [=, this] {
      return Attend(root_, token, rank, hello, Now() + kLimit);
    });
  }
  Socket Stranger() { return *Connect(root_, Now() + kLimit); }
  // A rank that knows the token and has not said hello.
  Socket Enter(uint32_t rank) {
    Socket socket = Stranger();
    const absl::Time limit = Now() + kSoon;
    std::string greeting(kGreetingBytes, '\0');
    EXPECT_TRUE(ReadAll(socket, greeting.data(), greeting.size(), limit).ok());
    const std::string answer =
        MakeAnswer(token_, *ReadGreeting(greeting), *NewNonce(), rank);
    EXPECT_TRUE(WriteAll(socket, answer, limit).ok());
    char proof[kProofBytes];
    EXPECT_TRUE(ReadAll(socket, proof, sizeof(proof), limit).ok());
    return socket;
  }
  // Whether rank 0 closes the connection soon, whatever it says before.
  static bool IsDropped(const Socket& socket) {
    char byte;
    const absl::Time end = Now() + kSoon;
    while (Now() < end) {
      if (absl::IsUnavailable(ReadAll(socket, &byte, 1, end))) return true;
    }
    return false;
  }
  void ExpectMeeting() {
    std::vector<std::future<absl::StatusOr<Meeting>>> others;
    for (uint32_t rank = 1; rank < ranks_; ++rank) {
      others.push_back(Rank(static_cast<int>(rank)));
    }
    ExpectMeeting(std::move(others));
  }
  void ExpectMeeting(std::vector<std::future<absl::StatusOr<Meeting>>> others) {
    const absl::Time begin = Now();
    const absl::StatusOr<Meeting> mine = meeting_.get();
    ASSERT_TRUE(mine.ok()) << mine.status();
    EXPECT_LT(Now() - begin, kSoon);
    EXPECT_EQ(mine->connections.size(), ranks_);
    for (auto& other : others) {
      const absl::StatusOr<Meeting> theirs = other.get();
      ASSERT_TRUE(theirs.ok()) << theirs.status();
      ASSERT_EQ(theirs->roster.ranks.size(), ranks_);
      EXPECT_EQ(theirs->roster.ranks[0].address, "address of root");
      EXPECT_EQ(theirs->roster.ranks[1].address, "address of host1");
      EXPECT_EQ(theirs->roster.silence_seconds, 10);
    }
  }

  const Token token_ = *NewToken();
  uint32_t ranks_ = 0;
  Socket listener_;
  HostPort root_;
  std::future<absl::StatusOr<Meeting>> meeting_;
};

TEST_F(GatherTest, RanksFindTogether) {
  Begin(9);
  ExpectMeeting();
}

TEST_F(GatherTest, OneRankIsAJobToo) {
  Begin(1);
  EXPECT_TRUE(meeting_.get().ok());
}

TEST_F(GatherTest, AnotherTokenIsRefusedAndHarmsNobody) {
  Begin(2);
  const auto stranger = Rank(1, *NewToken(), SomeHello(2, "stranger")).get();
  EXPECT_THAT(std::string(stranger.status().message()),
              HasSubstr("another token"));
  ExpectMeeting();
}

TEST_F(GatherTest, APortScanHarmsNobody) {
  Begin(3);
  for (int i = 0; i < 300; ++i) Stranger();
  ExpectMeeting();
}

TEST_F(GatherTest, GarbageHarmsNobody) {
  Begin(2);
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") +
            std::string(200, ' '),
        std::string(kAnswerBytes, '\0'), std::string(100000, '\xff')}) {
    const Socket stranger = Stranger();
    WriteAll(stranger, garbage, Now() + kSoon).IgnoreError();
    EXPECT_TRUE(IsDropped(stranger));
  }
  ExpectMeeting();
}

TEST_F(GatherTest, AnotherVersionIsDropped) {
  Begin(2);
  const Socket stranger = Stranger();
  std::string answer = MakeAnswer(token_, *NewNonce(), *NewNonce(), 1);
  answer[8] = 77;
  ASSERT_TRUE(WriteAll(stranger, answer, Now() + kSoon).ok());
  EXPECT_TRUE(IsDropped(stranger));
  ExpectMeeting();
}

// What was heard on another connection proves nothing on this one.
// Rank 0 does so with the oldest when too many come.
TEST_F(GatherTest, ARankThatIsDroppedComesAgain) {
  Socket listener = *Listen({"127.0.0.1", 0});
  root_ = {"127.0.0.1", *PortOf(listener)};
  ranks_ = 2;
  auto rank = Rank(1);
  std::string from;
  for (int dropped = 0; dropped < 2;) {
    dropped += Accept(listener, &from).ok();
    absl::SleepFor(absl::Milliseconds(1));
  }
  auto meeting =
      Gather(listener, token_, SomeHello(2, "root"), 10, Now() + kLimit);
  EXPECT_TRUE(meeting.ok()) << meeting.status();
  EXPECT_TRUE(rank.get().ok());
}

TEST_F(GatherTest, AnAnswerCannotBeRepeated) {
  Begin(2);
  const Socket first = Stranger();
  std::string greeting(kGreetingBytes, '\0');
  ASSERT_TRUE(
      ReadAll(first, greeting.data(), greeting.size(), Now() + kSoon).ok());
  const std::string answer =
      MakeAnswer(token_, *ReadGreeting(greeting), *NewNonce(), 1);
  const Socket second = Stranger();
  ASSERT_TRUE(WriteAll(second, answer, Now() + kSoon).ok());
  EXPECT_TRUE(IsDropped(second));
  ExpectMeeting();
}

TEST_F(GatherTest, WhoIsSlowKeepsNobodyWaiting) {
  Begin(3);
  std::vector<Socket> strangers;
  for (int i = 0; i < 20; ++i) {
    strangers.push_back(Stranger());
    ASSERT_TRUE(WriteAll(strangers.back(), "fus", Now() + kSoon).ok());
  }
  ExpectMeeting();
}

TEST_F(GatherTest, ManyWhoSayNothingKeepNobodyOut) {
  Begin(2);
  std::vector<Socket> strangers;
  for (int i = 0; i < 400; ++i) strangers.push_back(Stranger());
  EXPECT_TRUE(IsDropped(strangers[0]));
  ExpectMeeting();
}

TEST_F(GatherTest, ARankThatKnowsTheTokenMustStillMakeSense) {
  Begin(2);
  EXPECT_TRUE(IsDropped(Enter(0)));
  EXPECT_TRUE(IsDropped(Enter(2)));
  const Socket no_hello = Enter(1);
  ASSERT_TRUE(
      WriteAll(no_hello, EncodeFrame(Frame::kBeat, ""), Now() + kSoon).ok());
  EXPECT_TRUE(IsDropped(no_hello));
  const Socket bad_hello = Enter(1);
  ASSERT_TRUE(
      WriteAll(bad_hello, EncodeFrame(Frame::kHello, "hi"), Now() + kSoon)
          .ok());
  EXPECT_TRUE(IsDropped(bad_hello));
  const Socket long_frame = Enter(1);
  ASSERT_TRUE(WriteAll(long_frame, std::string("\xff\xff\xff\xff\x01", 5),
                       Now() + kSoon)
                  .ok());
  EXPECT_TRUE(IsDropped(long_frame));
  ExpectMeeting();
}

TEST_F(GatherTest, ARankComesOnce) {
  Begin(3);
  const Socket first = Enter(1);
  ASSERT_TRUE(
      WriteAll(first,
               EncodeFrame(Frame::kHello, SomeHello(3, "host1").Encode()),
               Now() + kSoon)
          .ok());
  EXPECT_THAT(std::string(Rank(1).get().status().message()),
              HasSubstr("there already"));
  EXPECT_TRUE(Rank(2).get().ok());
  EXPECT_TRUE(meeting_.get().ok());
}

TEST_F(GatherTest, OtherBuildsVersionsAndJobsAreRefusedOnAllRanks) {
  for (const std::string what :
       {"build", "UCX", "number of ranks", "FUSEAU_SPMD"}) {
    Begin(3);
    const Socket good = Enter(1);
    ASSERT_TRUE(
        WriteAll(good,
                 EncodeFrame(Frame::kHello, SomeHello(3, "host1").Encode()),
                 Now() + kSoon)
            .ok());
    Hello hello = SomeHello(3, "host2");
    if (what == "build") hello.build = "other";
    if (what == "UCX") hello.ucx = "1.22.0";
    if (what == "number of ranks") hello.ranks = 4;
    if (what == "FUSEAU_SPMD") hello.spmd = 1;
    auto bad = Rank(2, token_, hello);
    const absl::StatusOr<Frame> heard =
        ReadFrame(good, kShortFrame, Now() + kLimit);
    ASSERT_TRUE(heard.ok()) << heard.status();
    EXPECT_EQ(heard->kind, Frame::kRefusal);
    for (const absl::Status& status :
         {meeting_.get().status(), DecodeStatus(heard->body),
          bad.get().status()}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("rank 2 has"));
      EXPECT_THAT(std::string(status.message()), HasSubstr(what));
    }
  }
}

TEST_F(GatherTest, AnInterruptEndsTheWaitOnAllRanks) {
  std::atomic<bool> interrupted{false};
  ranks_ = 3;
  listener_ = *Listen({"127.0.0.1", 0});
  root_ = {"127.0.0.1", *PortOf(listener_)};
  meeting_ = std::async(std::launch::async, [&] {
    return Gather(listener_, token_, SomeHello(3, "root"), 10, Now() + kLimit,
                  [&] { return interrupted.load(); });
  });
  const Socket other = Enter(1);
  const absl::Time begin = Now();
  interrupted = true;
  EXPECT_EQ(meeting_.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_LT(Now() - begin, kSoon);
  const absl::StatusOr<Frame> heard =
      ReadFrame(other, kShortFrame, Now() + kLimit);
  ASSERT_TRUE(heard.ok()) << heard.status();
  EXPECT_EQ(DecodeStatus(heard->body).code(), absl::StatusCode::kCancelled);
}

TEST_F(GatherTest, ARootWithAnotherTokenGetsNothing) {
  // It answers the challenge as well as it can.
  listener_ = *Listen({"127.0.0.1", 0});
  root_ = {"127.0.0.1", *PortOf(listener_)};
  ranks_ = 2;
  auto rank = Rank(1);
  std::string from;
  Socket socket;
  const absl::Time limit = Now() + kSoon;
  while (!socket.ok() && Now() < limit) socket = Accept(listener_, &from);
  ASSERT_TRUE(socket.ok());
  ASSERT_TRUE(WriteAll(socket, MakeGreeting(*NewNonce()), limit).ok());
  std::string answer(kAnswerBytes, '\0');
  ASSERT_TRUE(ReadAll(socket, answer.data(), answer.size(), limit).ok());
  ASSERT_TRUE(WriteAll(socket, std::string(kProofBytes, 'x'), limit).ok());
  EXPECT_THAT(std::string(rank.get().status().message()),
              HasSubstr("another token"));
  char byte;
  EXPECT_FALSE(ReadAll(socket, &byte, 1, limit).ok());  // no hello
}

}  // namespace
}  // namespace fuseau::distrib
