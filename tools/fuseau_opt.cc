// fuseau-opt: runs passes on textual IR, for tests and for looking at them.

#include "ir/dialect.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "passes/passes.h"

int main(int argc, char** argv) {
  fuseau::passes::registerFuseauPasses();
  mlir::registerCSEPass();
  mlir::registerCanonicalizerPass();
  mlir::DialectRegistry registry;
  registry.insert<fuseau::ir::FuseauDialect, fuseau::ir::exec::ExecDialect,
                  mlir::arith::ArithDialect, mlir::math::MathDialect,
                  mlir::complex::ComplexDialect, mlir::func::FuncDialect>();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "fuseau pass driver\n", registry));
}
