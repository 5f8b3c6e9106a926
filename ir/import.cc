#include "ir/import.h"

#include "ir/dialect.h"

namespace fuseau::ir {
namespace {

using mlir::RankedTensorType;
using mlir::Value;

class Importer {
 public:
  Importer(const Trace& trace, mlir::MLIRContext& context, bool with_places)
      : trace_(trace),
        builder_(mlir::UnknownLoc::get(&context), &context),
        with_places_(with_places) {}

  mlir::OwningOpRef<mlir::ModuleOp> Run() {
    mlir::OwningOpRef<mlir::ModuleOp> module =
        mlir::ModuleOp::create(builder_.getLoc());
    builder_.setInsertionPointToEnd(module->getBody());
    auto function = mlir::func::FuncOp::create(
        builder_, "trace", builder_.getFunctionType({}, {}));
    builder_.setInsertionPointToStart(function.addEntryBlock());
    for (const TraceNode& node : trace_.nodes) {
      if (with_places_) builder_.setLoc(PlaceOf(values_.size()));
      values_.push_back(Import(node));
    }
    builder_.setLoc(mlir::UnknownLoc::get(builder_.getContext()));
    llvm::SmallVector<Value> outputs;
    llvm::SmallVector<mlir::Type> types;
    for (int32_t o : trace_.outputs) {
      outputs.push_back(Stored(o));
      types.push_back(outputs.back().getType());
    }
    mlir::func::ReturnOp::create(builder_, outputs);
    function.setFunctionType(builder_.getFunctionType({}, types));
    return module;
  }

 private:
  RankedTensorType Tensor(llvm::ArrayRef<int64_t> shape, DType dtype) {
    return RankedTensorType::get(shape,
                                 ElementType(builder_.getContext(), dtype));
  }

  // The value as one that has bytes in memory: iotas and scalars have none.
  Value Stored(int32_t index) {
    const OpCode op = trace_.nodes[index].op;
    if (op != OpCode::kIota && op != OpCode::kScalar) return values_[index];
    return CopyOp::create(builder_, values_[index].getType(), values_[index]);
  }

  // The operand as a tensor over `shape`.
  Value Read(const TraceOperand& o, llvm::ArrayRef<int64_t> shape,
             bool in_memory = false) {
    const bool as_made = !in_memory && trace_.nodes[o.value].dtype == o.dtype;
    return builder_.createOrFold<ViewOp>(
        Tensor(shape, o.dtype), as_made ? values_[o.value] : Stored(o.value),
        builder_.getI64IntegerAttr(o.offset),
        builder_.getDenseI64ArrayAttr(llvm::ArrayRef<int64_t>(o.strides)));
  }

  Value Update(const TraceNode& n) {
    Value old = Stored(n.operands[0].value);
    return UpdateOp::create(builder_, old.getType(), old,
                            Read(n.operands[1], n.shape), n.write_offset,
                            llvm::ArrayRef<int64_t>(n.write_strides));
  }

  Value Import(const TraceNode& n) {
    switch (n.op) {
      case OpCode::kInput:
        return InputOp::create(builder_, Tensor(n.shape, DType::kUInt8),
                               inputs_++, n.donated);
      case OpCode::kScalar:
        return ScalarOp::create(builder_, Tensor({}, n.dtype), scalars_++);
      case OpCode::kIota:
        return IotaOp::create(builder_, Tensor(n.shape, n.dtype),
                              builder_.getI64IntegerAttr(n.attribute));
      case OpCode::kUnset:
        return UnsetOp::create(builder_, Tensor(n.shape, n.dtype));
      case OpCode::kUpdate:
        return Update(n);
      default:
        break;
    }
    const OpRow& row = RowOf(n.op);
    mlir::OperationState state(builder_.getLoc(),
                               (llvm::Twine("fuseau.") + row.name).str());
    const bool routine = row.family == Family::kRoutine;
    for (const TraceOperand& o : n.operands)
      state.operands.push_back(Read(o, n.shape, /*in_memory=*/routine));
    if (routine)
      state.addAttribute("attribute", builder_.getI64IntegerAttr(n.attribute));
    Dims shape = n.shape;
    if (routine || row.family == Family::kReduction) {
      llvm::SmallVector<bool> reduced(n.reduced.begin(), n.reduced.end());
      state.addAttribute("reduced", builder_.getDenseBoolArrayAttr(reduced));
      shape.clear();
      for (size_t d = 0; d < n.shape.size(); ++d)
        if (!n.reduced[d]) shape.push_back(n.shape[d]);
    }
    state.addTypes(Tensor(shape, n.dtype));
    return builder_.create(state)->getResult(0);
  }

  mlir::Location PlaceOf(size_t node) {
    return mlir::FileLineColLoc::get(builder_.getStringAttr("trace"),
                                     static_cast<unsigned>(node), 0);
  }

  const Trace& trace_;
  mlir::ImplicitLocOpBuilder builder_;
  const bool with_places_;
  llvm::SmallVector<Value> values_;
  int32_t inputs_ = 0;
  int32_t scalars_ = 0;
};

}  // namespace

void RegisterDialects(mlir::MLIRContext& context) {
  context.loadDialect<FuseauDialect, exec::ExecDialect,
                      mlir::arith::ArithDialect, mlir::math::MathDialect,
                      mlir::complex::ComplexDialect, mlir::func::FuncDialect>();
}

mlir::OwningOpRef<mlir::ModuleOp> ImportTrace(const Trace& trace,
                                              mlir::MLIRContext& context,
                                              bool with_places) {
  return Importer(trace, context, with_places).Run();
}

}  // namespace fuseau::ir
