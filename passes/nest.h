// The attributes of a loop nest as plain vectors, and back.
#pragma once

#include <vector>

#include "ir/dialect.h"
#include "passes/access.h"

namespace fuseau::passes {

// What a body argument of `fuseau_exec.run`, or a non-scalar input of
// `fuseau_exec.launch`, stands for.
enum InputKind : int32_t { kMemory = 0, kScalar = 1, kIota = 2 };

// Space and maps of a `fuseau.fused` or `fuseau_exec.run`.
struct Nest {
  Dims space;
  std::vector<bool> reduced;
  std::vector<Access> in;
  std::vector<Access> out;
};

inline std::vector<Access> DecodeMaps(mlir::ArrayAttr maps) {
  std::vector<Access> accesses;
  for (mlir::Attribute a : maps) {
    auto map = mlir::cast<mlir::DenseI64ArrayAttr>(a).asArrayRef();
    accesses.push_back({map[0], Dims(map.begin() + 1, map.end())});
  }
  return accesses;
}

inline mlir::Attribute EncodeMap(mlir::MLIRContext* context, const Access& a) {
  llvm::SmallVector<int64_t> map{a.offset};
  map.append(a.strides.begin(), a.strides.end());
  return mlir::DenseI64ArrayAttr::get(context, map);
}

inline mlir::ArrayAttr EncodeMaps(mlir::MLIRContext* context,
                                  const std::vector<Access>& accesses) {
  llvm::SmallVector<mlir::Attribute> maps;
  for (const Access& a : accesses) maps.push_back(EncodeMap(context, a));
  return mlir::ArrayAttr::get(context, maps);
}

inline Nest NestOf(ir::FusedOp op) {
  Nest nest;
  nest.space.assign(op.getSpace().begin(), op.getSpace().end());
  nest.reduced.assign(op.getReduced().begin(), op.getReduced().end());
  nest.in = DecodeMaps(op.getInMaps());
  nest.out = DecodeMaps(op.getOutMaps());
  return nest;
}

inline void SetNest(ir::FusedOp op, const Nest& nest) {
  mlir::MLIRContext* context = op.getContext();
  llvm::SmallVector<bool> reduced(nest.reduced.begin(), nest.reduced.end());
  op.setSpace(llvm::ArrayRef<int64_t>(nest.space));
  op.setReduced(reduced);
  op.setInMapsAttr(EncodeMaps(context, nest.in));
  op.setOutMapsAttr(EncodeMaps(context, nest.out));
}

// Elements are joined one after the other: no cut of a reduced dimension keeps
// the bits.
inline bool IsSequential(ir::exec::RunOp run) {
  for (auto [combiner, type] :
       llvm::zip(run.getCombiners(), run.getOutTypes())) {
    llvm::StringRef name = mlir::cast<mlir::StringAttr>(combiner).getValue();
    const bool is_float = !mlir::isa<mlir::IntegerType>(
        mlir::cast<mlir::TypeAttr>(type).getValue());
    if (name == "ordered_sum" || (name == "prod" && is_float)) return true;
  }
  return false;
}

inline int64_t ItemSizeOf(mlir::Attribute type) {
  return ItemSize(ir::DTypeOf(mlir::cast<mlir::TypeAttr>(type).getValue()));
}

inline int64_t FloorDiv(int64_t a, int64_t b) {
  return a / b - ((a % b != 0) && ((a % b < 0) != (b < 0)));
}

// The bytes of one row (one index of dimension 0) of an access.
inline ByteRange RowExtent(const Access& a, const Dims& space,
                           int64_t item_size) {
  return Extent(a.offset, absl::MakeConstSpan(space).subspan(1),
                absl::MakeConstSpan(a.strides).subspan(1), item_size);
}

}  // namespace fuseau::passes
