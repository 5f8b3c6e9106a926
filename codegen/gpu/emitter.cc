#include "codegen/gpu/emitter.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/gpu/scalar_body.h"
#include "codegen/kernel_cache.h"
#include "codegen/kernel_spec.h"
#include "llvm/ADT/DenseMap.h"
#include "runtime/base/status.h"
#include "runtime/plan.h"

namespace fuseau::codegen::gpu {
namespace {

using absl::StrAppend;
using absl::StrCat;

// Bytes of one access.
constexpr int kAccessBytes = 16;
// A body with more operations computes fewer points a thread: its registers
// would spill, and its arithmetic hides the loads anyhow.
constexpr size_t kLongBody = 64;
constexpr int kThreads = 256;
// Shared memory that every device gives to a block, less some for the rest.
constexpr int kMaxScratch = 40 * 1024;
// Parameters of a kernel are at most so long on every device.
constexpr int kMaxSlots = 4064 / 8;

// How the results of one part are joined.
enum class Order { kTree, kComplexTree, kInOrder, kAny };

struct PartSpec {
  Order order;
  const char* type;    // its struct
  const char* member;  // of Total
  std::vector<int> outputs;

  int Unit() const {
    return order == Order::kTree ? 8 : order == Order::kComplexTree ? 4 : 0;
  }
};

Order OrderOf(Combiner combiner, DType dtype) {
  if (!IsFloat(dtype) && !IsComplex(dtype)) return Order::kAny;
  if (combiner == Combiner::kSum)
    return IsComplex(dtype) ? Order::kComplexTree : Order::kTree;
  if (combiner == Combiner::kProd || combiner == Combiner::kOrderedSum)
    return Order::kInOrder;
  return Order::kAny;
}

const char* InnerName(Inner inner) {
  switch (inner) {
    case Inner::kBackwards:
      return "kBackwards";
    case Inner::kBroadcast:
      return "kBroadcast";
    case Inner::kContiguous:
      return "kContiguous";
    case Inner::kStrided:
      return "kStrided";
  }
  return "";
}

class Emitter {
 public:
  Emitter(ir::exec::KernelOp kernel, const KernelSpec& spec)
      : kernel_(kernel),
        context_(kernel.getContext()),
        spec_(spec),
        inputs_(spec.inputs.size()) {}

  absl::StatusOr<GpuSource> Emit() {
    FUSEAU_RETURN_IF_ERROR(Check());
    GpuSource source;
    const int operands = spec_.OperandCount();
    source.slots =
        runtime::SlotCount(spec_.rank, operands, spec_.scalars.size()) + 1;
    if (source.slots > kMaxSlots)
      return absl::UnimplementedError(StrCat("no GPU code for ", operands,
                                             " operands of ", spec_.rank,
                                             " dimensions"));
    FUSEAU_ASSIGN_OR_RETURN(const std::string body, Body());
    PlanParts();
    source.rule = Rule();
    code_ = "struct Kernel {\n";
    Constants(source);
    Operands();
    StrAppend(&code_, body);
    if (spec_.reduction == Reduction::kNone)
      Run();
    else
      FUSEAU_RETURN_IF_ERROR(Joins());
    StrAppend(&code_, "};\n");

    const char* skeleton = spec_.reduction == Reduction::kNone ? "Map"
                           : spec_.ReducesInner() ? "ReduceRows"
                                                  : "ReduceColumns";
    const std::string parameter =
        StrCat("const __grid_constant__ Slots<", source.slots, "> args");
    source.name = KernelName(kernel_, StrCat(skeleton, parameter, code_));
    source.code = StrCat(
        "namespace fuseau::in_", source.name, " {\n\n", code_,
        "\nextern \"C\" __global__ void __launch_bounds__(kThreads)\n",
        source.name, "(", parameter, ") {\n  ", skeleton,
        "<Kernel>(args);\n}\n\n}  // namespace fuseau::in_", source.name, "\n");
    return source;
  }

 private:
  absl::Status Check() {
    if (spec_.turned)
      return absl::UnimplementedError("no GPU code for turned kernels");
    if (spec_.reduction == Reduction::kNone) {
      for (const OperandSpec& out : spec_.outputs)
        if (out.inner == Inner::kBroadcast && spec_.rank > 0)
          return absl::UnimplementedError(
              "no GPU code for results that share an element");
      return absl::OkStatus();
    }
    if (spec_.reduction != Reduction::kInner && spec_.reduced == 0)
      return absl::InvalidArgumentError(
          StrCat("kernel ", kernel_.getSymName().str(),
                 " does not say along which dimensions it joins"));
    return absl::OkStatus();
  }

  DType DTypeAt(size_t operand) const {
    return operand < inputs_ ? spec_.inputs[operand].dtype
                             : spec_.outputs[operand - inputs_].dtype;
  }
  std::string TypeOf(DType dtype) const {
    return TypeName(ir::ScalarType(context_, dtype));
  }
  std::string OutputType(int i) const { return TypeOf(spec_.outputs[i].dtype); }
  // x0, x1, ... are inputs; s0, ... scalars; y0, ... results.
  std::string ArgumentName(size_t i) const {
    return i < inputs_ ? StrCat("x", i) : StrCat("s", i - inputs_);
  }

  uint64_t ReducedDims() const {
    if (spec_.reduction == Reduction::kNone) return 0;
    return spec_.reduction == Reduction::kInner && spec_.reduced == 0
               ? uint64_t{1} << (spec_.rank - 1)
               : spec_.reduced;
  }

  // Points a thread: as many as one access has of the widest operand whose
  // elements lie side by side.
  int Lanes() const {
    int widest = 0;
    auto see = [&](const OperandSpec& operand) {
      if (!operand.iota && operand.inner == Inner::kContiguous)
        widest = std::max(widest, ItemSize(operand.dtype));
    };
    llvm::for_each(spec_.inputs, see);
    llvm::for_each(spec_.outputs, see);
    if (widest == 0 || spec_.rank == 0 ||
        spec_.body->getOperations().size() > kLongBody)
      return 1;
    return kAccessBytes / widest;
  }

  LaunchRule Rule() const {
    using runtime::cuda::Skeleton;
    LaunchRule rule;
    rule.rank = spec_.rank;
    rule.reduced = ReducedDims();
    if (spec_.reduction == Reduction::kNone) {
      rule.lanes = Lanes();
    } else if (spec_.reduction == Reduction::kOuter) {
      rule.skeleton = Skeleton::kColumnReduce;
    } else {
      rule.skeleton =
          spec_.rank == 1 ? Skeleton::kFullReduce : Skeleton::kRowReduce;
      if (MaySplit()) {
        rule.total_bytes = TotalBytes();
        rule.unit = 8;
        for (const PartSpec& part : parts_)
          if (part.Unit() != 0) rule.unit = std::min(rule.unit, part.Unit());
      }
    }
    return rule;
  }

  void PlanParts() {
    if (spec_.reduction == Reduction::kNone) return;
    std::vector<PartSpec> all = {
        {Order::kTree, "Pairs", "pairs", {}},
        {Order::kComplexTree, "ComplexPairs", "complex_pairs", {}},
        {Order::kInOrder, "InOrder", "in_order", {}},
        {Order::kAny, "Any", "any", {}}};
    for (size_t i = 0; i < spec_.outputs.size(); ++i) {
      const Order order =
          spec_.reduction == Reduction::kOuter
              ? Order::kInOrder
              : OrderOf(spec_.combiners[i], spec_.outputs[i].dtype);
      all[static_cast<int>(order)].outputs.push_back(i);
    }
    for (PartSpec& part : all)
      if (!part.outputs.empty()) parts_.push_back(std::move(part));
  }

  bool MaySplit() const {
    return spec_.reduction == Reduction::kInner &&
           llvm::none_of(parts_, [](const PartSpec& part) {
             return part.order == Order::kInOrder;
           });
  }

  // Of a struct with these results, as C++ lays it out.
  int BytesOf(const PartSpec& part) const {
    int bytes = 0, align = 8;
    for (int i : part.outputs) {
      const DType dtype = spec_.outputs[i].dtype;
      const int unit = ItemSize(PartType(dtype));
      bytes = (bytes + unit - 1) / unit * unit + ItemSize(dtype);
      align = std::max(align, unit);
    }
    return (bytes + align - 1) / align * align;
  }
  int TotalBytes() const {
    int bytes = 0;
    for (const PartSpec& part : parts_) bytes += (BytesOf(part) + 7) / 8 * 8;
    return bytes;
  }

  // What the threads of a block share while they join a part.
  int ScratchBytes() const {
    int bytes = 0;
    for (const PartSpec& part : parts_) {
      // A sum for each leaf, and those that wait for their right halves.
      const int entries =
          part.Unit() != 0 ? kThreads / part.Unit() + 32 : kThreads;
      bytes = std::max(bytes, entries * BytesOf(part));
    }
    return (bytes + 15) / 16 * 16;
  }

  void Constants(const GpuSource& source) {
    StrAppend(&code_, "  static constexpr int kRank = ", spec_.rank, ";\n");
    if (spec_.reduction == Reduction::kNone) {
      StrAppend(&code_, "  static constexpr int kLanes = ", source.rule.lanes,
                ";\n");
      return;
    }
    StrAppend(&code_, "  static constexpr u64 kReduced = ", source.rule.reduced,
              "u;\n");
    if (!spec_.ReducesInner()) return;
    auto boolean = [](bool b) { return b ? "true" : "false"; };
    StrAppend(
        &code_, "  static constexpr bool kAccumulates = ",
        boolean(spec_.reduction == Reduction::kInnerAccumulate), ";\n",
        "  static constexpr bool kMaySplit = ", boolean(MaySplit()), ";\n",
        "  static constexpr int kScratchBytes = ", ScratchBytes(), ";\n",
        "  static constexpr int kWorkspaceSlot = ", source.slots - 1, ";\n");
  }

  // The members, and how they start and move.
  void Operands() {
    std::string starts, moves;
    StrAppend(&code_, "\n");
    for (int i = 0; i < spec_.OperandCount(); ++i) {
      const bool input = i < static_cast<int>(inputs_);
      const OperandSpec& operand =
          input ? spec_.inputs[i] : spec_.outputs[i - inputs_];
      const std::string name =
          input ? StrCat("x", i) : StrCat("y", i - inputs_);
      const int slot = runtime::OperandSlot(spec_.rank, i);
      if (operand.iota)
        StrAppend(&code_, "  Iota<", TypeOf(operand.dtype), ", ", spec_.rank,
                  ", ", slot, "> ", name, ";\n");
      else
        StrAppend(
            &code_, "  Operand<", TypeOf(operand.dtype), ", ",
            InnerName(spec_.rank == 0 ? Inner::kBroadcast : operand.inner),
            ", ", spec_.rank, ", ", slot, "> ", name, ";\n");
      StrAppend(&starts, starts.empty() ? "" : ", ", name, "(args)");
      StrAppend(&moves, "    ", name, ".Move(args, d, index);\n");
    }
    for (size_t i = 0; i < spec_.scalars.size(); ++i) {
      const std::string type = TypeOf(spec_.scalars[i]);
      StrAppend(&code_, "  ", type, " s", i, ";\n");
      StrAppend(&starts, starts.empty() ? "" : ", ", "s", i, "(Scalar<", type,
                ">(args, ",
                runtime::ScalarSlot(spec_.rank, spec_.OperandCount(), i), "))");
    }
    StrAppend(&code_,
              "\n  template <class Args>\n"
              "  FUSEAU_METHOD explicit Kernel(const Args& args)\n      : ",
              starts, " {}\n",
              "  template <class Args>\n"
              "  FUSEAU_METHOD void Move(const Args& args, int d, i64 index) "
              "{\n",
              moves, "  }\n");
  }

  // The function of one point.
  absl::StatusOr<std::string> Body() {
    std::vector<std::string> parameters;
    llvm::DenseMap<mlir::Value, std::string> names;
    for (auto [i, argument] : llvm::enumerate(spec_.body->getArguments())) {
      names[argument] = ArgumentName(i);
      parameters.push_back(
          StrCat(TypeName(argument.getType()), " ", ArgumentName(i)));
    }
    for (size_t i = 0; i < spec_.outputs.size(); ++i)
      parameters.push_back(StrCat(OutputType(i), "& y", i));
    std::string text;
    int count = 0;
    for (mlir::Operation& op : spec_.body->without_terminator()) {
      llvm::SmallVector<std::string> operands;
      for (mlir::Value operand : op.getOperands())
        operands.push_back(names.lookup(operand));
      FUSEAU_ASSIGN_OR_RETURN(const std::string expression,
                              ScalarExpression(op, operands));
      const mlir::Value result = op.getResult(0);
      if (op.hasTrait<mlir::OpTrait::ConstantLike>()) {
        names[result] = expression;
        continue;
      }
      names[result] = StrCat("v", count++);
      StrAppend(&text, "    const ", TypeName(result.getType()), " ",
                names[result], " = ", expression, ";\n");
    }
    for (auto [i, value] :
         llvm::enumerate(spec_.body->getTerminator()->getOperands()))
      StrAppend(&text, "    y", i, " = ", names.lookup(value), ";\n");
    return StrCat("\n  FUSEAU_METHOD static void Body(",
                  absl::StrJoin(parameters, ", "), ") {\n", text, "  }\n");
  }

  // What Body is called with, where inputs have the suffix.
  std::vector<std::string> Arguments(absl::string_view suffix) const {
    std::vector<std::string> arguments;
    for (size_t i = 0; i < inputs_; ++i)
      arguments.push_back(StrCat("x", i, suffix));
    for (size_t i = 0; i < spec_.scalars.size(); ++i)
      arguments.push_back(StrCat("s", i));
    return arguments;
  }

  // Some neighbours of a row: all loads, then all stores.
  void Run() {
    std::string loads, values, stores;
    for (size_t i = 0; i < inputs_; ++i)
      StrAppend(&loads, "    ", TypeOf(spec_.inputs[i].dtype), " in", i,
                "[n];\n    x", i, ".Load(i, in", i, ");\n");
    for (size_t i = 0; i < spec_.outputs.size(); ++i) {
      StrAppend(&values, "    ", OutputType(i), " out", i, "[n];\n");
      StrAppend(&stores, "    y", i, ".Store(i, out", i, ");\n");
    }
    std::vector<std::string> arguments;
    for (size_t i = 0; i < inputs_; ++i)
      arguments.push_back(StrCat("in", i, "[k]"));
    for (size_t i = 0; i < spec_.scalars.size(); ++i)
      arguments.push_back(StrCat("s", i));
    for (size_t i = 0; i < spec_.outputs.size(); ++i)
      arguments.push_back(StrCat("out", i, "[k]"));
    StrAppend(&code_,
              "  template <int n>\n  FUSEAU_METHOD void Run(i64 i) const {\n",
              loads, values, "#pragma unroll\n",
              "    for (int k = 0; k < n; ++k) Body(",
              absl::StrJoin(arguments, ", "), ");\n", stores, "  }\n");
    // The result whose pieces are aligned.
    int aligned = -1;
    for (size_t i = 0; i < spec_.outputs.size() && aligned < 0; ++i)
      if (spec_.outputs[i].inner == Inner::kContiguous && spec_.rank > 0)
        aligned = i;
    const std::string name = StrCat("y", aligned);
    StrAppend(
        &code_,
        "  template <class Args>\n"
        "  FUSEAU_METHOD static bool IsRagged(const Args& args) {\n"
        "    return ",
        aligned < 0
            ? "false"
            : StrCat("decltype(", name, ")::template IsRagged<kLanes>(args)"),
        ";\n  }\n", "  FUSEAU_METHOD int Lead() const { return ",
        aligned < 0 ? "0" : StrCat(name, ".template Lead<kLanes>()"), "; }\n");
  }

  absl::StatusOr<std::string> Joined(int output, bool in_order) const {
    const DType dtype = spec_.outputs[output].dtype;
    const std::string type = OutputType(output);
    const std::string x = StrCat("y", output), y = StrCat("other.y", output);
    auto call = [&](absl::string_view function) {
      return StrCat(function, "(", x, ", ", y, ")");
    };
    const bool is_float = IsFloat(dtype);
    const bool is_signed = ClassOf(dtype) == DTypeClass::kSigned;
    const bool exact = is_float || IsComplex(dtype);
    switch (spec_.combiners[output]) {
      case Combiner::kSum:
      case Combiner::kOrderedSum:
        return exact ? StrCat(x, " + ", y)
                     : StrCat(type, "(", x, " + ", y, ")");
      case Combiner::kProd:
        return exact ? StrCat(x, " * ", y)
                     : StrCat(type, "(1u * ", x, " * ", y, ")");
      case Combiner::kMax:
        return call(is_float    ? in_order ? "LaterMaximum" : "Maximum"
                    : is_signed ? "LargerSigned"
                                : "LargerUnsigned");
      case Combiner::kMin:
        return call(is_float    ? in_order ? "LaterMinimum" : "Minimum"
                    : is_signed ? "SmallerSigned"
                                : "SmallerUnsigned");
      case Combiner::kAny:
        return StrCat(x, " || ", y);
      case Combiner::kAll:
        return StrCat(x, " && ", y);
      case Combiner::kNone:
        break;
    }
    return absl::InternalError("a result without a combiner");
  }

  // What changes nothing when joined; `zero` for sums that NumPy starts at 0.0.
  std::string Identity(int output, bool zero) const {
    const DType dtype = spec_.outputs[output].dtype;
    const std::string type = OutputType(output);
    const Combiner combiner = spec_.combiners[output];
    const bool is_signed = ClassOf(dtype) == DTypeClass::kSigned;
    auto complex = [&](absl::string_view re, absl::string_view im) {
      return IsComplex(dtype) ? StrCat(type, "{", re, ", ", im, "}")
                              : std::string(re);
    };
    if (IsFloat(dtype) || IsComplex(dtype)) {
      const std::string part = TypeOf(PartType(dtype));
      const std::string infinity =
          part == "float" ? "BitCast<float>(0x7f800000u)"
                          : "BitCast<double>(0x7ff0000000000000ull)";
      switch (combiner) {
        case Combiner::kMax:
          return StrCat("-", infinity);
        case Combiner::kMin:
          return infinity;
        case Combiner::kProd:
          return complex(StrCat(part, "(1)"), StrCat(part, "(0)"));
        default: {
          const std::string sum = StrCat(part, zero ? "(0)" : "(-0.0)");
          return complex(sum, sum);
        }
      }
    }
    switch (combiner) {
      case Combiner::kProd:
        return StrCat(type, "(1)");
      case Combiner::kAll:
        return "true";
      case Combiner::kMax:
        return is_signed ? StrCat("kLeast<", type, ">") : StrCat(type, "(0)");
      case Combiner::kMin:
        return is_signed ? StrCat(type, "(~kLeast<", type, ">)")
                         : StrCat(type, "(-1)");
      default:
        return StrCat(type, "(0)");
    }
  }

  absl::Status Joins() {
    if (spec_.ReducesInner() && ScratchBytes() > kMaxScratch)
      return absl::UnimplementedError(StrCat("no GPU code for ",
                                             spec_.outputs.size(),
                                             " results joined together"));
    StrAppend(&code_, "\n  struct Values {\n");
    std::vector<std::string> arguments = Arguments(".Load(i)");
    for (size_t i = 0; i < spec_.outputs.size(); ++i) {
      StrAppend(&code_, "    ", OutputType(i), " y", i, ";\n");
      arguments.push_back(StrCat("values.y", i));
    }
    StrAppend(&code_,
              "  };\n"
              "  FUSEAU_METHOD Values At(i64 i) const {\n"
              "    Values values;\n    Body(",
              absl::StrJoin(arguments, ", "), ");\n    return values;\n  }\n");
    for (const PartSpec& part : parts_) FUSEAU_RETURN_IF_ERROR(Part(part));
    Total();
    if (spec_.ReducesInner()) JoinRow();
    return absl::OkStatus();
  }

  absl::Status Part(const PartSpec& part) {
    const bool in_order = part.order == Order::kInOrder;
    std::string members, identities, values, joins, zeros, held, stores;
    for (int i : part.outputs) {
      const char* comma = identities.empty() ? "" : ", ";
      StrAppend(&members, "    ", OutputType(i), " y", i, ";\n");
      StrAppend(&identities, comma, Identity(i, in_order));
      StrAppend(&values, comma, "values.y", i);
      FUSEAU_ASSIGN_OR_RETURN(const std::string joined, Joined(i, in_order));
      StrAppend(&joins, "      y", i, " = ", joined, ";\n");
      if (part.Unit() != 0)
        StrAppend(&zeros, comma, OutputType(i), "{} + y", i);
      StrAppend(&held, comma, "kernel.y", i, ".Load(0)");
      StrAppend(&stores, "      kernel.y", i, ".Store(0, y", i, ");\n");
    }
    StrAppend(&code_, "\n  struct alignas(8) ", part.type, " {\n", members,
              "    FUSEAU_METHOD static ", part.type, " Identity() { return {",
              identities, "}; }\n", "    FUSEAU_METHOD static ", part.type,
              " Of(const Kernel& kernel, i64 i) {\n"
              "      const Values values = kernel.At(i);\n      return {",
              values, "};\n    }\n", "    FUSEAU_METHOD void Join(const ",
              part.type, "& other) {\n", joins, "    }\n");
    // NumPy adds a sum to 0.0, so that one of -0.0 is 0.0.
    if (part.Unit() != 0)
      StrAppend(&code_, "    FUSEAU_METHOD ", part.type,
                " FromZero() const { return {", zeros, "}; }\n");
    StrAppend(&code_, "    FUSEAU_METHOD static ", part.type,
              " Held(const Kernel& kernel) { return {", held, "}; }\n",
              "    FUSEAU_METHOD void Store(const Kernel& kernel) const {\n",
              stores, "    }\n  };\n");
    return absl::OkStatus();
  }

  // All parts.
  void Total() {
    auto each = [&](absl::string_view separator, auto print) {
      std::vector<std::string> texts;
      for (const PartSpec& part : parts_) texts.push_back(print(part));
      return absl::StrJoin(texts, separator);
    };
    StrAppend(
        &code_, "\n  struct Total {\n",
        each("",
             [](const PartSpec& p) {
               return StrCat("    ", p.type, " ", p.member, ";\n");
             }),
        "    FUSEAU_METHOD static Total Identity() { return {",
        each(", ",
             [](const PartSpec& p) { return StrCat(p.type, "::Identity()"); }),
        "}; }\n    FUSEAU_METHOD static Total Of(const Kernel& kernel, i64 i) "
        "{ "
        "return {",
        each(", ",
             [](const PartSpec& p) {
               return StrCat(p.type, "::Of(kernel, i)");
             }),
        "}; }\n    FUSEAU_METHOD static Total Held(const Kernel& kernel) { "
        "return {",
        each(
            ", ",
            [](const PartSpec& p) { return StrCat(p.type, "::Held(kernel)"); }),
        "}; }\n    FUSEAU_METHOD void Join(const Total& other) {\n",
        each("",
             [](const PartSpec& p) {
               return StrCat("      ", p.member, ".Join(other.", p.member,
                             ");\n");
             }),
        "    }\n    FUSEAU_METHOD void Store(const Kernel& kernel) const {\n",
        each("",
             [](const PartSpec& p) {
               return StrCat("      ", p.member, ".Store(kernel);\n");
             }),
        "    }\n  };\n");
  }

  // A row, or a part of one, joined by a group of threads.
  void JoinRow() {
    const bool accumulates = spec_.reduction == Reduction::kInnerAccumulate;
    StrAppend(&code_,
              "\n  FUSEAU_METHOD void JoinRow(const Group& group, i64 n, int "
              "level, u32 part, void* scratch, Total& total) const {\n");
    for (const PartSpec& part : parts_) {
      std::string row;
      switch (part.order) {
        case Order::kTree:
        case Order::kComplexTree:
          row = StrCat("JoinTree<", part.type, ", ", part.Unit(),
                       ">(group, *this, n, level, part, scratch).FromZero()");
          break;
        case Order::kAny:
          row = StrCat("JoinAny<", part.type,
                       ">(group, *this, PartStart(n, level, part), "
                       "PartStart(n, level, part + 1), scratch)");
          break;
        case Order::kInOrder:
          StrAppend(&code_, "    total.", part.member,
                    " = JoinInOrder(group, *this, n, total.", part.member,
                    ", scratch);\n");
          continue;
      }
      if (accumulates)
        StrAppend(&code_, "    total.", part.member, ".Join(", row, ");\n");
      else
        StrAppend(&code_, "    total.", part.member, " = ", row, ";\n");
    }
    StrAppend(&code_, "  }\n");
  }

  ir::exec::KernelOp kernel_;
  mlir::MLIRContext* const context_;
  const KernelSpec& spec_;
  const size_t inputs_;
  std::vector<PartSpec> parts_;
  std::string code_;
};

}  // namespace

absl::StatusOr<GpuSource> EmitCuda(ir::exec::KernelOp kernel) {
  FUSEAU_ASSIGN_OR_RETURN(const KernelSpec spec, ReadKernel(kernel));
  return Emitter(kernel, spec).Emit();
}

}  // namespace fuseau::codegen::gpu
