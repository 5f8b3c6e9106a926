#include "codegen/ahead.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "codegen/cpu/emitter.h"
#include "codegen/cpu/jit.h"
#include "codegen/kernel_cache.h"
#include "codegen/plan_builder.h"
#include "ir/import.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "passes/passes.h"
#include "runtime/ahead/loops.h"
#include "runtime/ahead/plan_words.h"
#include "runtime/base/status.h"
#include "runtime/plan_check.h"

namespace fuseau::codegen {
namespace {

constexpr OptLevel kLevel = OptLevel::kO1;

// It stands for code that another process will link.
void NotHere(int64_t, int64_t, const int64_t*) {
  FUSEAU_CHECK(!"a kernel that was compiled ahead of time runs elsewhere");
}
struct PlannedKernel : runtime::Kernel {
  explicit PlannedKernel(std::string kernel_name) {
    name = std::move(kernel_name);
    fn = NotHere;
  }
};

template <typename T>
std::string Print(T& printable) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  printable.print(stream, nullptr);
  return text;
}

std::string PrintModule(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text + "\n";
}

absl::Status CheckLoop(absl::string_view loop, absl::string_view what) {
  if (runtime::StandardLoops().contains(loop)) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat(what, " is computed by NumPy's loop ", loop,
                   ", which programs without Python do not have"));
}

absl::Status CheckRoutines(const runtime::Plan& plan) {
  for (const runtime::RoutineCall& call : plan.routines) {
    if (call.loop == nullptr) continue;
    const std::string loop = runtime::NameOfInnerLoop(call.loop);
    FUSEAU_RETURN_IF_ERROR(CheckLoop(loop, loop.substr(0, loop.find('.'))));
  }
  return absl::OkStatus();
}

runtime::ProcessorLevel LevelOf(const Target& target) {
  switch (target.level) {
    case VectorLevel::kSse:
      return runtime::ProcessorLevel::kV2;
    case VectorLevel::kAvx2:
      return runtime::ProcessorLevel::kV3;
    case VectorLevel::kAvx512:
      return runtime::ProcessorLevel::kV4;
  }
  return runtime::ProcessorLevel::kV2;
}

// Writes what belongs to a program beside its kernels into their module.
class ProgramEmitter {
 public:
  explicit ProgramEmitter(llvm::Module& module)
      : module_(module), b_(module.getContext()) {}

  // Names the kernel that was emitted last.
  void TakeKernel(const std::string& name) {
    llvm::Function* function = module_.getFunction(kKernelSymbol);
    function->setName(name);
    function->setLinkage(llvm::GlobalValue::InternalLinkage);
    kernels_.push_back(function);
  }

  // The loops that kernels call get a cell each; their names, in that order.
  std::vector<std::string> DefineLoops() {
    std::vector<std::string> names;
    for (llvm::GlobalVariable& global : module_.globals()) {
      llvm::StringRef name = global.getName();
      if (!name.consume_front(kLoopPrefix)) continue;
      names.push_back(name.str());
      global.setInitializer(
          llvm::Constant::getNullValue(global.getValueType()));
      global.setLinkage(llvm::GlobalValue::InternalLinkage);
      loops_.push_back(&global);
    }
    return names;
  }

  // runtime::ProgramData
  void DefineProgram(const std::string& name, const std::vector<int64_t>& words,
                     const std::string& constants) {
    llvm::Type* const ptr = b_.getPtrTy();
    llvm::Constant* fields[] = {
        Table(llvm::ConstantDataArray::get(
            module_.getContext(),
            llvm::ArrayRef<uint64_t>(
                reinterpret_cast<const uint64_t*>(words.data()),
                words.size()))),
        b_.getInt64(words.size()),
        Pointers(kernels_),
        Pointers(loops_),
        Table(llvm::ConstantDataArray::getString(module_.getContext(),
                                                 constants, /*AddNull=*/true)),
        llvm::ConstantPointerNull::get(b_.getPtrTy())};
    auto* type = llvm::StructType::get(
        module_.getContext(), {ptr, b_.getInt64Ty(), ptr, ptr, ptr, ptr});
    program_ = new llvm::GlobalVariable(
        module_, type, /*isConstant=*/false, llvm::GlobalValue::ExternalLinkage,
        llvm::ConstantStruct::get(type, fields), name + "_program");
  }

  void DefineFunction(const std::string& name, size_t sizes,
                      const std::vector<AheadParameter>& arguments,
                      size_t results) {
    std::vector<llvm::Type*> types(sizes, b_.getInt64Ty());
    for (const AheadParameter& a : arguments)
      types.push_back(a.by_value ? ValueType(a.dtype) : b_.getPtrTy());
    types.resize(types.size() + results, b_.getPtrTy());
    auto* function = llvm::Function::Create(
        llvm::FunctionType::get(b_.getInt32Ty(), types, /*isVarArg=*/false),
        llvm::GlobalValue::ExternalLinkage, name, module_);
    b_.SetInsertPoint(
        llvm::BasicBlock::Create(module_.getContext(), "entry", function));
    const auto table = [&](size_t count, llvm::Type* type) {
      return b_.CreateAlloca(type, b_.getInt64(std::max<size_t>(count, 1)));
    };
    llvm::Value* const lists[] = {table(sizes, b_.getInt64Ty()),
                                  table(arguments.size(), b_.getPtrTy()),
                                  table(results, b_.getPtrTy())};
    unsigned next = 0;
    const auto put = [&](llvm::Value* list, size_t i, llvm::Value* value) {
      b_.CreateStore(value, b_.CreateConstGEP1_64(value->getType(), list, i));
    };
    for (size_t i = 0; i < sizes; ++i)
      put(lists[0], i, function->getArg(next++));
    for (size_t i = 0; i < arguments.size(); ++i, ++next) {
      llvm::Value* value = function->getArg(next);
      if (arguments[i].by_value) {
        Extend(function, next, arguments[i].dtype);
        if (arguments[i].dtype == DType::kBool)
          value = b_.CreateZExt(value, b_.getInt8Ty());
        llvm::Value* place = b_.CreateAlloca(value->getType());
        b_.CreateStore(value, place);
        value = place;
      }
      put(lists[1], i, value);
    }
    for (size_t i = 0; i < results; ++i)
      put(lists[2], i, function->getArg(next++));
    const llvm::FunctionCallee run = module_.getOrInsertFunction(
        "fuseau_kernels_run", b_.getInt32Ty(), b_.getPtrTy(), b_.getPtrTy(),
        b_.getPtrTy(), b_.getPtrTy());
    b_.CreateRet(b_.CreateCall(run, {program_, lists[0], lists[1], lists[2]}));
  }

 private:
  llvm::Type* ValueType(DType dtype) {
    switch (ClassOf(dtype)) {
      case DTypeClass::kBool:
        return b_.getInt1Ty();
      case DTypeClass::kFloat:
        return dtype == DType::kFloat32 ? b_.getFloatTy() : b_.getDoubleTy();
      case DTypeClass::kSigned:
      case DTypeClass::kUnsigned:
        return b_.getIntNTy(8 * static_cast<unsigned>(ItemSize(dtype)));
      case DTypeClass::kComplex:
        break;  // by address
    }
    return b_.getPtrTy();
  }
  // Callers extend short integers, as C's compilers do.
  void Extend(llvm::Function* function, unsigned i, DType dtype) {
    if (ItemSize(dtype) >= 4 || IsFloat(dtype)) return;
    function->addParamAttr(i, ClassOf(dtype) == DTypeClass::kSigned
                                  ? llvm::Attribute::SExt
                                  : llvm::Attribute::ZExt);
  }

  llvm::Constant* Table(llvm::Constant* content) {
    auto* global = new llvm::GlobalVariable(
        module_, content->getType(), /*isConstant=*/true,
        llvm::GlobalValue::PrivateLinkage, content);
    global->setAlignment(llvm::Align(64));
    return global;
  }
  template <typename T>
  llvm::Constant* Pointers(const std::vector<T*>& targets) {
    std::vector<llvm::Constant*> all(targets.begin(), targets.end());
    return Table(llvm::ConstantArray::get(
        llvm::ArrayType::get(b_.getPtrTy(), all.size()), all));
  }

  llvm::Module& module_;
  llvm::IRBuilder<> b_;
  std::vector<llvm::Function*> kernels_;
  std::vector<llvm::GlobalVariable*> loops_;
  llvm::GlobalVariable* program_ = nullptr;
};

}  // namespace

struct AheadBuilder::Modules {
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> owned;
};

// Kernels by key, each once; nothing is compiled.
class AheadBuilder::Kernels : public KernelSource {
 public:
  explicit Kernels(const Target& target) : target_(target) {}

  absl::StatusOr<std::shared_ptr<const runtime::Kernel>> Get(
      ir::exec::KernelOp op) override {
    for (auto call : op.getBody().front().getOps<ir::CallOp>()) {
      const std::string loop = call.getLoop().str();
      FUSEAU_RETURN_IF_ERROR(CheckLoop(loop, loop.substr(0, loop.find('.'))));
    }
    const std::string key = KernelKey(op, target_, kLevel);
    auto [it, is_new] = places_.try_emplace(key, list_.size());
    if (is_new) {
      list_.push_back(std::make_shared<PlannedKernel>(KernelName(op, key)));
      ops_.push_back(op);
    }
    return list_[it->second];
  }

  const runtime::KernelList& list() const { return list_; }
  const std::vector<ir::exec::KernelOp>& ops() const { return ops_; }

 private:
  const Target& target_;
  absl::flat_hash_map<std::string, size_t> places_;
  runtime::KernelList list_;
  std::vector<ir::exec::KernelOp> ops_;
};

AheadBuilder::AheadBuilder() : modules_(std::make_unique<Modules>()) {
  ir::RegisterDialects(modules_->context);
}

AheadBuilder::~AheadBuilder() = default;

absl::StatusOr<std::unique_ptr<AheadBuilder>> AheadBuilder::Make(
    absl::string_view isa, bool any_size) {
  std::unique_ptr<AheadBuilder> builder(new AheadBuilder);
  FUSEAU_ASSIGN_OR_RETURN(builder->target_, NamedTarget(isa));
  builder->any_size_ = any_size;
  builder->kernels_ = std::make_unique<Kernels>(builder->target_);
  return builder;
}

absl::StatusOr<std::vector<int64_t>> AheadBuilder::Words(
    const ir::Trace& trace, runtime::VariantBody body, std::string* mlir) {
  mlir::OwningOpRef<mlir::ModuleOp> module =
      ir::ImportTrace(trace, modules_->context);
  if (mlir != nullptr) *mlir = PrintModule(*module);
  FUSEAU_RETURN_IF_ERROR(passes::RunPipeline(*module, {.any_size = any_size_}));
  FUSEAU_ASSIGN_OR_RETURN(const std::shared_ptr<runtime::Plan> plan,
                          BuildPlan(*module, *kernels_));
  modules_->owned.push_back(std::move(module));
  plan->input_count = static_cast<int32_t>(body.inputs.size());
  plan->scalar_count = static_cast<int32_t>(body.scalars.size());
  FUSEAU_RETURN_IF_ERROR(CheckRoutines(*plan));
  FUSEAU_RETURN_IF_ERROR(runtime::CheckPlan(*plan));
  runtime::WordWriter words;
  Fields(words, body);
  FUSEAU_RETURN_IF_ERROR(runtime::WritePlan(*plan, kernels_->list(), words));
  return words.Take();
}

absl::StatusOr<AheadCode> AheadBuilder::Code(
    absl::string_view name, runtime::Program program,
    const std::vector<AheadParameter>& arguments, std::string constants) {
  const std::string function(name);
  program.processor = LevelOf(target_);
  program.kernels = KernelNames();
  // Code generation changes a module, so each kind of code has its own.
  const auto emit = [&](llvm::Module& module) -> absl::Status {
    ProgramEmitter emitter(module);
    for (size_t i = 0; i < kernels_->ops().size(); ++i) {
      FUSEAU_RETURN_IF_ERROR(
          EmitKernelInto(kernels_->ops()[i], target_, module));
      emitter.TakeKernel(absl::StrCat(function, ".", program.kernels[i]));
    }
    program.loops = emitter.DefineLoops();
    runtime::WordWriter words;
    Fields(words, program);
    emitter.DefineProgram(function, words.Take(), constants);
    emitter.DefineFunction(function, program.letters.size(), arguments,
                           program.results.size());
    return absl::OkStatus();
  };
  AheadCode code;
  {
    llvm::LLVMContext context;
    llvm::Module module(function, context);
    FUSEAU_RETURN_IF_ERROR(emit(module));
    code.llvm = Print(module);
    FUSEAU_ASSIGN_OR_RETURN(code.object, CompileObject(module, kLevel));
  }
  llvm::LLVMContext context;
  llvm::Module module(function, context);
  FUSEAU_RETURN_IF_ERROR(emit(module));
  FUSEAU_ASSIGN_OR_RETURN(code.assembly, CompileAssembly(module, kLevel));
  return code;
}

absl::Status AheadBuilder::Try(runtime::Program program, const int64_t* sizes,
                               void* const* arguments, void* const* results,
                               const std::string& constants) {
  program.kernels = KernelNames();
  while (loaded_.size() < program.kernels.size()) {
    llvm::LLVMContext context;
    FUSEAU_ASSIGN_OR_RETURN(
        auto module,
        EmitKernel(kernels_->ops()[loaded_.size()], target_, context));
    FUSEAU_ASSIGN_OR_RETURN(std::string object, CompileObject(*module, kLevel));
    FUSEAU_ASSIGN_OR_RETURN(
        auto kernel, LoadObject(object, program.kernels[loaded_.size()]));
    loaded_.push_back(std::move(kernel));
  }
  std::vector<runtime::KernelFn> functions;
  for (const auto& kernel : loaded_) functions.push_back(kernel->fn);
  runtime::WordWriter writer;
  Fields(writer, program);
  const std::vector<int64_t> words = writer.Take();
  runtime::ProgramData data = {
      words.data(),     static_cast<int64_t>(words.size()),
      functions.data(), nullptr,
      constants.data(), nullptr};
  const absl::Status status =
      runtime::RunProgram(&data, sizes, arguments, results);
  runtime::ForgetProgram(&data);
  return status;
}

std::vector<std::string> AheadBuilder::KernelNames() const {
  std::vector<std::string> names;
  for (const auto& kernel : kernels_->list()) names.push_back(kernel->name);
  return names;
}

}  // namespace fuseau::codegen
