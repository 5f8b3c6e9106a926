#include "runtime/ahead/plan_words.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/inner_loops.h"
#include "runtime/routine.h"

namespace fuseau::runtime {
namespace {

template <typename Io>
void Fields(Io& io, PlanOperand& o) {
  io.Number(o.buffer);
  io.Number(o.offset);
  Numbers(io, o.strides);
  io.Number(o.dtype);
}

template <typename Io>
void Operands(Io& io, std::vector<PlanOperand>& operands) {
  io.Each(operands, [](auto& each, PlanOperand& o) { Fields(each, o); });
}

template <typename Io>
void Fields(Io& io, LaggedWrite& w) {
  io.Number(w.output);
  io.Number(w.behind);
  io.Number(w.ahead);
  Numbers(io, w.readers);
}

// But for the kernel.
template <typename Io>
void Fields(Io& io, Launch& l) {
  Numbers(io, l.sizes);
  Operands(io, l.operands);
  io.Number(l.input_count);
  Numbers(io, l.scalars);
  io.Number(l.split);
  io.Number(l.parallel_dims);
  Numbers(io, l.combiners);
  io.Each(l.lagged, [](auto& each, LaggedWrite& w) { Fields(each, w); });
  io.Number(l.bytes);
  io.Estimate(l.flops);
}

// But for the functions.
template <typename Io>
void Fields(Io& io, RoutineCall& c) {
  Numbers(io, c.sizes);
  io.Number(c.reduced);
  Operands(io, c.operands);
  io.Number(c.attribute);
}

template <typename Io>
void Fields(Io& io, Sweep& s) {
  io.Number(s.rows);
  io.Number(s.tile);
  Numbers(io, s.launches);
  Numbers(io, s.first);
  io.Each(s.halos, [](auto& each, Sweep::Halo& h) {
    each.Number(h.before);
    each.Number(h.after);
  });
  io.Each(s.buffers, [](auto& each, TileBuffer& b) {
    each.Number(b.buffer);
    each.Number(b.low);
    each.Number(b.stride);
    each.Number(b.row_bytes);
  });
}

template <typename Io>
void Fields(Io& io, CopyPart& p) {
  io.Number(p.offset);
  io.Number(p.bytes);
  Numbers(io, p.sizes);
  Numbers(io, p.strides);
}

template <typename Io>
void Fields(Io& io, Step& s) {
  io.Number(s.kind);
  io.Number(s.buffer);
  io.Number(s.source);
  io.Number(s.launch);
  io.Number(s.fill_size);
  io.Bytes(s.fill, sizeof(s.fill));
}

// The rest of a plan.
template <typename Io>
void Fields(Io& io, Plan& plan) {
  io.Each(plan.buffers, [](auto& each, PlanBuffer& b) {
    each.Number(b.kind);
    each.Number(b.index);
    each.Number(b.bytes);
  });
  io.Each(plan.sweeps, [](auto& each, Sweep& s) { Fields(each, s); });
  io.Each(plan.copies, [](auto& each, std::vector<CopyPart>& parts) {
    each.Each(parts, [](auto& part, CopyPart& p) { Fields(part, p); });
  });
  io.Each(plan.moves, [](auto& each, Move& m) {
    each.Number(m.from);
    each.Number(m.to);
    each.Number(m.bytes);
  });
  io.Each(plan.steps, [](auto& each, Step& s) { Fields(each, s); });
  Numbers(io, plan.outputs);
  io.Number(plan.input_count);
  io.Number(plan.scalar_count);
  io.Number(plan.overwrites_inputs);
}

}  // namespace

absl::Status WritePlan(const Plan& plan, const KernelList& kernels,
                       WordWriter& words) {
  if (!plan.groups.empty()) {
    return absl::InternalError("groups of launches are made where a plan runs");
  }
  Plan copy = plan;  // fields are the same for readers, which change them
  absl::Status status;
  words.Each(copy.launches, [&](WordWriter& each, Launch& launch) {
    const auto it = std::find(kernels.begin(), kernels.end(), launch.kernel);
    if (it == kernels.end()) {
      status = absl::InternalError(
          absl::StrCat("kernel ", launch.kernel->name, " is not in the list"));
    }
    each.Number(it - kernels.begin());
    Fields(each, launch);
  });
  words.Each(copy.routines, [&](WordWriter& each, RoutineCall& call) {
    if (IsExchange(call)) {
      status = absl::UnimplementedError(
          "a plan with exchanges belongs to a job of several ranks");
    }
    each.Text(std::string(RoutineName(call.fn)));
    each.Text(call.loop == nullptr ? "" : NameOfInnerLoop(call.loop));
    Fields(each, call);
  });
  Fields(words, copy);
  return status;
}

absl::StatusOr<std::shared_ptr<Plan>> ReadPlan(WordReader& words,
                                               const KernelList& kernels) {
  auto plan = std::make_shared<Plan>();
  absl::Status status;
  words.Each(plan->launches, [&](WordReader& each, Launch& launch) {
    size_t kernel = 0;
    each.Number(kernel);
    if (kernel < kernels.size()) {
      launch.kernel = kernels[kernel];
    } else {
      each.Fail();
    }
    Fields(each, launch);
  });
  words.Each(plan->routines, [&](WordReader& each, RoutineCall& call) {
    std::string routine, loop;
    each.Text(routine);
    each.Text(loop);
    call.fn = FindRoutine(routine);
    if (call.fn == nullptr) {
      status = absl::UnimplementedError(absl::StrCat("no routine ", routine));
    }
    if (!loop.empty()) {
      call.loop = FindInnerLoop(loop);
      if (call.loop == nullptr) {
        status = absl::UnimplementedError(absl::StrCat("no inner loop ", loop));
      }
    }
    Fields(each, call);
  });
  Fields(words, *plan);
  FUSEAU_RETURN_IF_ERROR(words.Finish());
  FUSEAU_RETURN_IF_ERROR(status);
  return plan;
}

}  // namespace fuseau::runtime
