// Random traces, partitioned for some ranks, against the traces as a whole.

#include <cstdlib>

#include "frontend/reference.h"
#include "gtest/gtest.h"
#include "passes/testing/loops.h"
#include "passes/testing/random_trace.h"
#include "passes/testing/ranks.h"

namespace fuseau::passes {
namespace {

using ir::Trace;
using runtime::BufferRef;
using testing::ExpectIs;
using testing::MakeSpread;
using testing::Ran;
using testing::RandomDistribution;
using testing::RunOnRanks;
using testing::Spread;
using testing::Tier;

class RandomPartitionTest : public ::testing::TestWithParam<int> {
 protected:
  RandomPartitionTest() { testing::RegisterLoops(); }
  int ranks() const { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Ranks, RandomPartitionTest,
                         ::testing::Values(1, 2, 3, 4, 7));

void CheckRandomTrace(int seed, int ranks, Tier tier) {
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  testing::TraceMaker maker(seed);
  std::vector<Spread> inputs;
  std::vector<BufferRef> wholes;
  // Results of one trace, as they are, are inputs of the next.
  for (int round = 0; round < 2; ++round) {
    const Trace trace = maker.Make();
    SCOPED_TRACE(testing::Text(trace));
    for (size_t i = inputs.size(); i < maker.inputs().size(); ++i) {
      BufferRef whole = maker.Data(maker.inputs()[i]);
      inputs.push_back(MakeSpread(
          whole, RandomDistribution(whole->bytes(), ranks, random), ranks));
      wholes.push_back(std::move(whole));
    }
    std::vector<BufferRef> want;
    ASSERT_EQ(EvaluateReference(trace, wholes, maker.scalars(), nullptr, &want),
              absl::OkStatus());
    Ran ran;
    // Arrays are small: ranks that compute few rows again compute none.
    PartitionOptions options = testing::CutAll();
    if (seed % 2 == 1) options.overlap_share = 1;
    RunOnRanks(trace, inputs, maker.scalars(), ranks, tier, &ran, options);
    if (::testing::Test::HasFatalFailure()) return;
    for (size_t o = 0; o < want.size(); ++o) {
      SCOPED_TRACE(::testing::Message()
                   << "output " << o << " of round " << round);
      ExpectIs(ran.outputs[o], want[o], ranks);
      if (::testing::Test::HasFatalFailure()) return;
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (trace.nodes[i].donated) continue;
      SCOPED_TRACE(::testing::Message() << "input " << i);
      ExpectIs(inputs[i], wholes[i], ranks);
      if (::testing::Test::HasFatalFailure()) return;
    }
    maker.Continue();
    inputs = std::move(ran.outputs);
    wholes = std::move(want);
  }
}

TEST_P(RandomPartitionTest, Interpreted) {
  const char* count = std::getenv("FUSEAU_PARTITION_SEEDS");
  const int seeds = count != nullptr ? std::atoi(count) : 400;
  for (int seed = 0; seed < seeds; ++seed) {
    CheckRandomTrace(seed, ranks(), Tier::kInterpreter);
    if (HasFailure()) return;
  }
}

TEST_P(RandomPartitionTest, Compiled) {
  for (int seed = 1000; seed < 1060; ++seed) {
    CheckRandomTrace(seed, ranks(), Tier::kCompiled);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace fuseau::passes
