#include "codegen/kernel_spec.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/dims.h"
#include "runtime/base/status.h"

namespace fuseau::codegen {
namespace {

// More would not fit into registers, nor addresses of them.
constexpr int kMaxRows = 8;

absl::Status Malformed(ir::exec::KernelOp kernel, absl::string_view what) {
  return absl::InternalError(
      absl::StrCat("kernel ", kernel.getSymName().str(), ": ", what));
}

bool IsElementType(mlir::Type type) {
  if (auto complex = mlir::dyn_cast<mlir::ComplexType>(type))
    type = complex.getElementType();
  else if (auto integer = mlir::dyn_cast<mlir::IntegerType>(type))
    return integer.getWidth() == 1 || integer.getWidth() == 8 ||
           integer.getWidth() == 16 || integer.getWidth() == 32 ||
           integer.getWidth() == 64;
  return type.isF32() || type.isF64();
}

absl::StatusOr<Combiner> ReadCombiner(mlir::Attribute attribute) {
  auto name = mlir::dyn_cast<mlir::StringAttr>(attribute);
  if (!name) return absl::InternalError("a combiner must be a string");
  struct Row {
    const char* name;
    Combiner combiner;
  };
  static constexpr Row kRows[] = {{"none", Combiner::kNone},
                                  {"sum", Combiner::kSum},
                                  {"ordered_sum", Combiner::kOrderedSum},
                                  {"prod", Combiner::kProd},
                                  {"max", Combiner::kMax},
                                  {"min", Combiner::kMin},
                                  {"any", Combiner::kAny},
                                  {"all", Combiner::kAll}};
  for (const Row& row : kRows)
    if (name == row.name) return row.combiner;
  return absl::InternalError(
      absl::StrCat("unknown combiner '", name.str(), "'"));
}

absl::StatusOr<Reduction> ReadReduction(llvm::StringRef name) {
  if (name == "none") return Reduction::kNone;
  if (name == "inner") return Reduction::kInner;
  if (name == "inner_accumulate") return Reduction::kInnerAccumulate;
  if (name == "outer") return Reduction::kOuter;
  return absl::InternalError(
      absl::StrCat("unknown kind of reduction '", name.str(), "'"));
}

absl::Status CheckReduction(ir::exec::KernelOp kernel, const KernelSpec& spec) {
  const bool reduces = spec.reduction != Reduction::kNone;
  if (spec.ReducesInner() && spec.rank == 0)
    return Malformed(kernel, "nothing to reduce in rank 0");
  if (spec.reduction == Reduction::kOuter && spec.rank < 2)
    return Malformed(kernel, "an outer reduction needs two dimensions");
  if (spec.rows < 1 || spec.rows > kMaxRows)
    return Malformed(kernel, "number of rows");
  const bool calls = !spec.body->getOps<ir::CallOp>().empty();
  if (spec.rows > 1 && (spec.rank < 2 || spec.ReducesInner() || calls))
    return Malformed(kernel, "no rows to compute together");
  if (spec.turned && (spec.rank < 2 || reduces))
    return Malformed(kernel, "not a nest that can be turned");
  if (spec.Streams() && (reduces || spec.turned))
    return Malformed(kernel, "results that are read again are not streamed");
  for (size_t i = 0; i < spec.outputs.size(); ++i) {
    const Combiner combiner = spec.combiners[i];
    if ((combiner != Combiner::kNone) != reduces)
      return Malformed(kernel, "combiners do not match the reduction");
    const DType dtype = spec.outputs[i].dtype;
    const bool logical =
        combiner == Combiner::kAny || combiner == Combiner::kAll;
    if (reduces && logical != (dtype == DType::kBool))
      return absl::UnimplementedError(absl::StrCat(
          "combiner ", static_cast<int>(combiner), " of ", Name(dtype)));
    if (IsComplex(dtype) &&
        (combiner == Combiner::kMax || combiner == Combiner::kMin))
      return absl::UnimplementedError("maximum or minimum of complex numbers");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KernelSpec> ReadKernel(ir::exec::KernelOp kernel) {
  KernelSpec spec;
  spec.body = &kernel.getBody().front();
  spec.rank = static_cast<int>(kernel.getRank());
  const size_t arguments = spec.body->getNumArguments();
  const size_t scalars = kernel.getScalars();
  const size_t outputs = kernel.getOutTypes().size();
  if (spec.rank < 0 || spec.rank > kMaxRank) return Malformed(kernel, "rank");
  if (kernel.getInTypes().size() != arguments || scalars > arguments)
    return Malformed(kernel, "needs one entry in `in` per body argument");
  const size_t inputs = arguments - scalars;
  if (kernel.getInner().size() != inputs + outputs ||
      kernel.getCombiners().size() != outputs ||
      spec.body->getTerminator()->getNumOperands() != outputs)
    return Malformed(kernel, "wrong number of `inner`, combiners or results");
  if (inputs > 31 && kernel.getIotas() != 0)
    return Malformed(kernel, "the bitmask of iotas has 31 bits");

  auto dtype_at = [&](mlir::ArrayAttr types,
                      size_t i) -> absl::StatusOr<DType> {
    auto type = mlir::dyn_cast<mlir::TypeAttr>(types[i]);
    if (!type || !IsElementType(type.getValue()))
      return Malformed(kernel, "unknown element type");
    return ir::DTypeOf(type.getValue());
  };
  auto operand = [&](mlir::ArrayAttr types, size_t i,
                     size_t place) -> absl::StatusOr<OperandSpec> {
    OperandSpec result;
    FUSEAU_ASSIGN_OR_RETURN(result.dtype, dtype_at(types, i));
    const int inner = kernel.getInner()[place];
    if (inner < -1 || inner > 2) return Malformed(kernel, "stride class");
    result.inner = static_cast<Inner>(inner);
    return result;
  };
  for (size_t i = 0; i < inputs; ++i) {
    FUSEAU_ASSIGN_OR_RETURN(OperandSpec in, operand(kernel.getInTypes(), i, i));
    in.iota = i < 31 && (kernel.getIotas() >> i & 1);
    // An iota's stride is a number, so its class says nothing but "it varies".
    if (in.iota && in.inner != Inner::kBroadcast) in.inner = Inner::kStrided;
    spec.inputs.push_back(in);
  }
  for (size_t i = inputs; i < arguments; ++i) {
    FUSEAU_ASSIGN_OR_RETURN(DType dtype, dtype_at(kernel.getInTypes(), i));
    spec.scalars.push_back(dtype);
  }
  for (size_t i = 0; i < outputs; ++i) {
    FUSEAU_ASSIGN_OR_RETURN(OperandSpec out,
                            operand(kernel.getOutTypes(), i, inputs + i));
    out.streamed = i < 31 && (kernel.getStreamed() >> i & 1);
    if (out.streamed && out.inner != Inner::kContiguous)
      return Malformed(kernel, "only elements side by side are streamed");
    spec.outputs.push_back(out);
    FUSEAU_ASSIGN_OR_RETURN(Combiner combiner,
                            ReadCombiner(kernel.getCombiners()[i]));
    spec.combiners.push_back(combiner);
  }
  FUSEAU_ASSIGN_OR_RETURN(spec.reduction, ReadReduction(kernel.getReduction()));
  spec.rows = static_cast<int>(kernel.getRows());
  spec.turned = kernel.getTurned();
  spec.reduced = kernel.getReduced();
  for (size_t i = 0; i < arguments; ++i) {
    const DType dtype =
        i < inputs ? spec.inputs[i].dtype : spec.scalars[i - inputs];
    if (spec.body->getArgument(i).getType() !=
        ir::ScalarType(kernel.getContext(), dtype))
      return Malformed(kernel, "a body argument is not of its operand's type");
  }
  for (size_t i = 0; i < outputs; ++i) {
    if (spec.body->getTerminator()->getOperand(i).getType() !=
        ir::ScalarType(kernel.getContext(), spec.outputs[i].dtype))
      return Malformed(kernel, "a result is not of its output's type");
  }
  FUSEAU_RETURN_IF_ERROR(CheckReduction(kernel, spec));
  return spec;
}

}  // namespace fuseau::codegen
