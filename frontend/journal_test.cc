#include "frontend/journal.h"

#include "frontend/host.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fuseau {
namespace {

using ir::OpCode;
using ::testing::HasSubstr;

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    evaluation_host.place = [](int64_t slot) {
      return slot < 0 ? std::string("now.py:9")
                      : "line " + std::to_string(slot);
    };
  }
  void TearDown() override { evaluation_host.place = nullptr; }

  static void Add(Journal* journal, int operations) {
    for (int i = 0; i < operations; ++i) {
      journal->Add(OpCode::kAdd, DType::kFloat64, 1, 8 * i);
    }
  }
  Journal first_, second_;
};

TEST_F(JournalTest, TheFirstDifferenceIsTold) {
  Add(&first_, 5);
  Add(&second_, 5);
  EXPECT_EQ(first_.digest(), second_.digest());
  first_.Confirm();
  second_.Confirm();
  Add(&first_, 1);
  Add(&second_, 1);
  first_.Add(OpCode::kAdd, DType::kFloat64, 1, 8);
  second_.Add(OpCode::kAdd, DType::kFloat64, 1, 16);
  second_.Add(OpCode::kMultiply, DType::kFloat64, 1, 16);
  EXPECT_NE(first_.digest(), second_.digest());
  EXPECT_EQ(Journal::Compare({first_.Tell("a"), second_.Tell("b")}),
            "after 6 operations that were the same, rank 0 records `add` of "
            "float64, 8 bytes in 1-d at line 6, and rank 1 records `add` of "
            "float64, 16 bytes in 1-d at line 6");
}

TEST_F(JournalTest, ARankMayDoSomethingElseThanRecord) {
  Add(&first_, 2);
  Add(&second_, 3);
  const std::string ended = first_.Tell("ends");
  EXPECT_EQ(Journal::Compare({ended, ended, second_.Tell("reads")}),
            "after 2 operations that were the same, rank 0 ends at now.py:9, "
            "and rank 2 records `add` of float64, 16 bytes in 1-d at line 2");
  EXPECT_EQ(Journal::Compare({ended, first_.Tell("reads")}),
            "after 2 operations that were the same, rank 0 ends at now.py:9, "
            "and rank 1 reads at now.py:9");
  EXPECT_THAT(Journal::Compare({ended, ended}), HasSubstr("other numbers"));
}

TEST_F(JournalTest, ItKeepsTheLatest) {
  Add(&first_, Journal::kKept + 10);
  Add(&second_, Journal::kKept + 10);
  second_.Add(OpCode::kAdd, DType::kFloat32, 0, 4);
  EXPECT_THAT(Journal::Compare({first_.Tell("ends"), second_.Tell("ends")}),
              HasSubstr("rank 1 records `add` of float32, 4 bytes at line 10"));
}

}  // namespace
}  // namespace fuseau
