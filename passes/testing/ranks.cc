#include "passes/testing/ranks.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "codegen/compiler.h"
#include "frontend/interpreter.h"
#include "gtest/gtest.h"
#include "passes/partition/program.h"
#include "runtime/arena.h"
#include "runtime/route.h"

namespace fuseau::passes::testing {

using ir::Trace;
using runtime::BufferRef;
using runtime::CopyPart;
using runtime::Transfer;

namespace {

std::string Gather(const std::vector<CopyPart>& parts, const char* from) {
  std::string bytes;
  for (const CopyPart& part : parts)
    ForEachRun(part, [&](int64_t at) { bytes.append(from + at, part.bytes); });
  return bytes;
}

void Scatter(const std::string& bytes, const std::vector<CopyPart>& parts,
             char* to) {
  size_t next = 0;
  for (const CopyPart& part : parts) {
    ForEachRun(part, [&](int64_t at) {
      ASSERT_LE(next + part.bytes, bytes.size());
      std::memcpy(to + at, bytes.data() + next, part.bytes);
      next += part.bytes;
    });
  }
  EXPECT_EQ(next, bytes.size());
}

}  // namespace

BufferRef Allocate(int64_t bytes) {
  auto buffer = runtime::Arena::Global().Allocate(bytes);
  EXPECT_TRUE(buffer.ok()) << buffer.status();
  std::memset((*buffer)->data(), 0xa5, static_cast<size_t>(bytes));
  return *std::move(buffer);
}

void Mailboxes::Send(int from, int to, int64_t exchange, std::string bytes) {
  const std::lock_guard lock(mutex_);
  boxes_[{from, to, exchange}].push_back(std::move(bytes));
  arrived_.notify_all();
}

std::string Mailboxes::Receive(int from, int to, int64_t exchange) {
  std::unique_lock lock(mutex_);
  auto& box = boxes_[{from, to, exchange}];
  if (!arrived_.wait_for(lock, std::chrono::seconds(20),
                         [&] { return !box.empty(); })) {
    return "";
  }
  std::string bytes = std::move(box.front());
  box.erase(box.begin());
  return bytes;
}

bool Mailboxes::empty() {
  const std::lock_guard lock(mutex_);
  return std::all_of(boxes_.begin(), boxes_.end(),
                     [](const auto& box) { return box.second.empty(); });
}

absl::Status MailExchanger::Exchange(int64_t number, const char* source,
                                     char* target,
                                     const std::atomic<bool>* cancel) {
  const absl::Status started = Start(number, source, target);
  return started.ok() ? Finish(number, cancel) : started;
}

absl::Status MailExchanger::ExchangeRouted(int64_t number, const char* source,
                                           const int64_t* counts, char* target,
                                           const std::atomic<bool>*) {
  auto transfer = runtime::Follow(partition_.routes[number], counts, rank_);
  if (!transfer.ok()) return transfer.status();
  Send(number, *transfer, source, target);
  return Receive(number, *transfer, target);
}

absl::Status MailExchanger::Start(int64_t number, const char* source,
                                  char* target) {
  Send(number, partition_.transfers[number], source, target);
  targets_[number] = target;
  return absl::OkStatus();
}

void MailExchanger::Send(int64_t number, const Transfer& transfer,
                         const char* source, char* target) {
  for (const Transfer::Message& message : transfer.sends) {
    std::string bytes = Gather(message.parts, source);
    EXPECT_EQ(static_cast<int64_t>(bytes.size()), message.bytes);
    mail_.Send(rank_, message.peer, number, std::move(bytes));
  }
  for (const Transfer::Copy& copy : transfer.copies)
    Scatter(Gather({copy.from}, source), {copy.to}, target);
  // Who reads too early gets nothing that looks like a result.
  for (const Transfer::Message& message : transfer.receives)
    Scatter(std::string(message.bytes, '\xa5'), message.parts, target);
}

absl::Status MailExchanger::Finish(int64_t number, const std::atomic<bool>*) {
  const auto started = targets_.find(number);
  if (started == targets_.end())
    return absl::InternalError("the end of an exchange that did not begin");
  char* const target = started->second;
  targets_.erase(started);
  return Receive(number, partition_.transfers[number], target);
}

absl::Status MailExchanger::Receive(int64_t number, const Transfer& transfer,
                                    char* target) {
  for (const Transfer::Message& message : transfer.receives) {
    const std::string bytes = mail_.Receive(message.peer, rank_, number);
    if (static_cast<int64_t>(bytes.size()) != message.bytes)
      return absl::InternalError("a message of another size");
    Scatter(bytes, message.parts, target);
  }
  return absl::OkStatus();
}

bool Has(const Distribution& d, int rank) {
  switch (d.kind) {
    case Distribution::kWhole:
      return true;
    case Distribution::kRoot:
      return rank == 0;
    case Distribution::kCut:
      return d.cuts[rank] < d.cuts[rank + 1];
  }
  return false;
}

Spread MakeSpread(const BufferRef& whole, const Distribution& d, int ranks) {
  Spread spread{d, {}};
  for (int r = 0; r < ranks; ++r) {
    BufferRef& part = spread.parts.emplace_back();
    if (!Has(d, r)) continue;
    if (d.kind != Distribution::kCut) {
      part = Allocate(whole->bytes());
      std::memcpy(part->data(), whole->data(), whole->bytes());
      continue;
    }
    part = Allocate(d.windows[r].hi - d.windows[r].lo);
    std::memcpy(part->data() + d.cuts[r] - d.windows[r].lo,
                whole->data() + d.cuts[r], d.cuts[r + 1] - d.cuts[r]);
  }
  return spread;
}

Distribution RandomDistribution(int64_t bytes, int ranks,
                                std::mt19937& random) {
  const auto pick = [&](int64_t lo, int64_t hi) {
    return std::uniform_int_distribution<int64_t>(lo, hi)(random);
  };
  Distribution d;
  const int64_t kind = pick(0, 5);
  if (kind == 0) return d;
  if (kind == 1) {
    d.kind = Distribution::kRoot;
    return d;
  }
  d.kind = Distribution::kCut;
  d.cuts.push_back(0);
  for (int r = 1; r < ranks; ++r) {
    const int64_t cut =
        kind == 2 ? pick(0, bytes / 8) * 8 : bytes / 8 * r / ranks * 8;
    d.cuts.push_back(cut);
  }
  d.cuts.push_back(bytes);
  std::sort(d.cuts.begin(), d.cuts.end());
  for (int r = 0; r < ranks; ++r) {
    const bool owns = d.cuts[r] < d.cuts[r + 1];
    const int64_t room = owns && kind == 3 ? pick(0, 4) * 8 : 0;
    d.windows.push_back({std::max<int64_t>(0, d.cuts[r] - room),
                         std::min(bytes, d.cuts[r + 1] + room)});
  }
  return d;
}

void ExpectIs(const Spread& spread, const BufferRef& want, int ranks) {
  const Distribution& d = spread.distribution;
  std::string got(want->bytes(), '\0');
  const std::string all(want->data(), want->bytes());
  for (int r = 0; r < ranks; ++r) {
    if (!Has(d, r)) {
      EXPECT_EQ(spread.parts[r], nullptr);
      continue;
    }
    ASSERT_NE(spread.parts[r], nullptr) << "rank " << r;
    if (d.kind != Distribution::kCut) {
      ASSERT_GE(spread.parts[r]->bytes(), want->bytes());
      ASSERT_EQ(std::string(spread.parts[r]->data(), want->bytes()), all)
          << "rank " << r;
      continue;
    }
    ASSERT_LE(d.windows[r].lo, d.cuts[r]);
    ASSERT_GE(d.windows[r].hi, d.cuts[r + 1]);
    ASSERT_GE(spread.parts[r]->bytes(), d.windows[r].hi - d.windows[r].lo);
    std::memcpy(got.data() + d.cuts[r],
                spread.parts[r]->data() + d.cuts[r] - d.windows[r].lo,
                d.cuts[r + 1] - d.cuts[r]);
  }
  if (d.kind == Distribution::kCut) {
    ASSERT_EQ(d.cuts.front(), 0);
    ASSERT_EQ(d.cuts.back(), want->bytes());
    ASSERT_EQ(got, all);
  }
}

// That a rank's operations stay in the buffers that they read and write.
void ExpectInBounds(const Partition& partition) {
  std::vector<int64_t> bytes;  // by node
  const auto expect_in = [&](const ByteRange& range, int32_t value, size_t i) {
    EXPECT_GE(range.lo, 0) << "node " << i;
    EXPECT_LE(range.hi, bytes[value]) << "node " << i;
  };
  const auto extent = [](const runtime::CopyPart& part) {
    return Extent(part.offset, part.sizes, part.strides, part.bytes);
  };
  for (size_t i = 0; i < partition.trace.nodes.size(); ++i) {
    const ir::TraceNode& node = partition.trace.nodes[i];
    const bool update = node.op == ir::OpCode::kUpdate;
    bytes.push_back(update ? bytes[node.operands[0].value]
                           : partition::ResultBytes(node));
    if (Count(node.shape) == 0) continue;
    for (size_t k = update ? 1 : 0; k < node.operands.size(); ++k) {
      const ir::TraceOperand& o = node.operands[k];
      expect_in(Extent(o.offset, node.shape, o.strides, ItemSize(o.dtype)),
                o.value, i);
    }
    if (update) {
      expect_in(Extent(node.write_offset, node.shape, node.write_strides,
                       ItemSize(node.dtype)),
                node.operands[0].value, i);
    }
    if (node.op != ir::OpCode::kExchange) continue;
    const int32_t source = node.operands[0].value;
    const auto target = static_cast<int32_t>(i);
    const runtime::Transfer& transfer = partition.transfers[node.attribute];
    for (const auto& message : transfer.sends)
      for (const auto& part : message.parts) expect_in(extent(part), source, i);
    for (const auto& message : transfer.receives)
      for (const auto& part : message.parts) expect_in(extent(part), target, i);
    for (const auto& copy : transfer.copies) {
      expect_in(extent(copy.from), source, i);
      expect_in(extent(copy.to), target, i);
    }
  }
}

void RunOnRanks(const Trace& trace, const std::vector<Spread>& inputs,
                absl::Span<const runtime::ScalarValue> scalars, int ranks,
                Tier tier, Ran* ran, const PartitionOptions& options) {
  std::vector<Distribution> distributions;
  for (const Spread& input : inputs)
    distributions.push_back(input.distribution);
  Mailboxes mail;
  std::vector<absl::Status> statuses(ranks);
  std::vector<std::vector<BufferRef>> results(ranks);
  for (int r = 0; r < ranks; ++r) {
    auto partition = PartitionTrace(trace, distributions, r, ranks, options);
    ASSERT_TRUE(partition.ok()) << partition.status();
    ExpectInBounds(*partition);
    ran->partitions.push_back(*std::move(partition));
  }
  const auto rank = [&](int r) {
    const Partition& mine = ran->partitions[r];
    std::vector<BufferRef> own;
    for (int32_t i : mine.inputs) own.push_back(inputs[i].parts[r]);
    for (const std::vector<int64_t>& table : mine.tables) {
      own.push_back(Allocate(std::ssize(table) * 8));
      std::memcpy(own.back()->data(), table.data(), table.size() * 8);
    }
    MailExchanger exchanger(mine, r, mail);
    if (tier == Tier::kInterpreter) {
      auto interpreter = Interpreter::Make(mine.trace);
      statuses[r] = interpreter.status();
      if (!interpreter.ok()) return;
      statuses[r] =
          (*interpreter)->Run(own, scalars, nullptr, &results[r], &exchanger);
    } else {
      auto plan = codegen::CompileTrace(mine.trace);
      statuses[r] = plan.status();
      if (!plan.ok()) return;
      runtime::ExecuteOptions execute;
      execute.exchanger = &exchanger;
      statuses[r] =
          runtime::Execute(**plan, own, scalars, &results[r], execute);
    }
  };
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r) threads.emplace_back(rank, r);
  for (std::thread& thread : threads) thread.join();
  for (int r = 0; r < ranks; ++r)
    ASSERT_TRUE(statuses[r].ok()) << "rank " << r << ": " << statuses[r];
  EXPECT_TRUE(mail.empty()) << "messages that nobody took";
  for (size_t o = 0; o < trace.outputs.size(); ++o) {
    Spread& output = ran->outputs.emplace_back();
    output.distribution = ran->partitions[0].distributions[o];
    for (int r = 0; r < ranks; ++r) {
      const Partition& mine = ran->partitions[r];
      EXPECT_EQ(mine.distributions[o], output.distribution)
          << "ranks 0 and " << r << " do not agree";
      output.parts.push_back(mine.outputs[o] < 0 ? BufferRef()
                                                 : results[r][mine.outputs[o]]);
    }
  }
}

}  // namespace fuseau::passes::testing
