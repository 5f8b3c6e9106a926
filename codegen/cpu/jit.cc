#include "codegen/cpu/jit.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "codegen/cpu/emitter.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/Core.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h"
#include "llvm/ExecutionEngine/Orc/TaskDispatch.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "runtime/base/settings.h"
#include "runtime/base/status.h"
#include "runtime/inner_loops.h"

namespace fuseau::codegen {
namespace {

namespace orc = llvm::orc;

absl::Status ToStatus(llvm::Error error) {
  return absl::InternalError(llvm::toString(std::move(error)));
}

// Sets one of LLVM's hidden switches. They are global, which is why LLVM is
// linked into us statically.
void SetFlag(const char* name) {
  auto& options = llvm::cl::getRegisteredOptions();
  auto it = options.find(name);
  if (it != options.end())
    static_cast<llvm::cl::opt<bool>*>(it->second)->setValue(true);
}

void InitializeLlvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    // Loop strength reduction costs half of the time at O1 and gains nothing:
    // our loops have one index already.
    SetFlag("disable-lsr");
  });
}

// Target machines cache what they derive from a function's attributes, so they
// are kept; each is used by one thread at a time.
class TargetMachinePool {
 public:
  using Machine = std::unique_ptr<llvm::TargetMachine>;

  absl::StatusOr<Machine> Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        Machine machine = std::move(free_.back());
        free_.pop_back();
        return machine;
      }
    }
    InitializeLlvm();
    const llvm::Triple triple(llvm::sys::getProcessTriple());
    std::string error;
    const llvm::Target* target =
        llvm::TargetRegistry::lookupTarget(triple, error);
    if (!target) return absl::InternalError(error);
    llvm::TargetOptions options;
    options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
    return Machine(target->createTargetMachine(
        triple, /*CPU=*/"", /*Features=*/"", options, llvm::Reloc::PIC_,
        llvm::CodeModel::Small, llvm::CodeGenOptLevel::Less, /*JIT=*/true));
  }

  void GiveBack(Machine machine) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(machine));
  }

 private:
  std::mutex mutex_;
  std::vector<Machine> free_;
};

TargetMachinePool& Machines() {
  static auto* pool = new TargetMachinePool;
  return *pool;
}

absl::StatusOr<std::string> Compile(llvm::Module& module, OptLevel level,
                                    llvm::CodeGenFileType kind) {
  FUSEAU_ASSIGN_OR_RETURN(TargetMachinePool::Machine machine,
                          Machines().Take());
  module.setTargetTriple(machine->getTargetTriple());
  module.setDataLayout(machine->createDataLayout());
  const bool verify = SettingBool("FUSEAU_VERIFY", false);
  if (verify) {
    std::string problem;
    llvm::raw_string_ostream stream(problem);
    if (llvm::verifyModule(module, &stream))
      return absl::InternalError(
          absl::StrCat("the emitter made an invalid module: ", problem));
  }
  machine->setOptLevel(level == OptLevel::kO0 ? llvm::CodeGenOptLevel::None
                                              : llvm::CodeGenOptLevel::Less);
  machine->setFastISel(level == OptLevel::kO0);
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream stream(buffer);
  {
    llvm::legacy::PassManager passes;
    if (machine->addPassesToEmitFile(passes, stream, nullptr, kind,
                                     /*DisableVerify=*/!verify))
      return absl::InternalError("LLVM cannot emit this kind of file");
    passes.run(module);
  }
  Machines().GiveBack(std::move(machine));
  return std::string(buffer.begin(), buffer.end());
}

// What compiled code may call besides inner loops: LLVM makes these of memory
// intrinsics and, on processors without the instruction, of fma and rounding.
void* LibraryFunction(absl::string_view name) {
  struct Function {
    absl::string_view name;
    void* address;
  };
#define FUSEAU_FUNCTION(type, name)                         \
  {                                                         \
    #name, reinterpret_cast<void*>(static_cast<type>(name)) \
  }
  using D1 = double (*)(double);
  using F1 = float (*)(float);
  using D3 = double (*)(double, double, double);
  using F3 = float (*)(float, float, float);
  static const Function kFunctions[] = {
      {"memcpy", reinterpret_cast<void*>(&std::memcpy)},
      {"memset", reinterpret_cast<void*>(&std::memset)},
      {"memmove", reinterpret_cast<void*>(&std::memmove)},
      FUSEAU_FUNCTION(D3, fma),
      FUSEAU_FUNCTION(F3, fmaf),
      FUSEAU_FUNCTION(D1, floor),
      FUSEAU_FUNCTION(F1, floorf),
      FUSEAU_FUNCTION(D1, ceil),
      FUSEAU_FUNCTION(F1, ceilf),
      FUSEAU_FUNCTION(D1, trunc),
      FUSEAU_FUNCTION(F1, truncf),
      FUSEAU_FUNCTION(D1, nearbyint),
      FUSEAU_FUNCTION(F1, nearbyintf),
      // In the default rounding mode rint is roundeven, which glibc has late.
      {"roundeven", reinterpret_cast<void*>(static_cast<D1>(rint))},
      {"roundevenf", reinterpret_cast<void*>(static_cast<F1>(rintf))},
  };
#undef FUSEAU_FUNCTION
  for (const Function& f : kFunctions)
    if (f.name == name) return f.address;
  return nullptr;
}

// Defines, when an object asks for them, the symbols outside it.
class SymbolGenerator : public orc::DefinitionGenerator {
 public:
  llvm::Error tryToGenerate(orc::LookupState&, orc::LookupKind,
                            orc::JITDylib& library, orc::JITDylibLookupFlags,
                            const orc::SymbolLookupSet& symbols) override {
    orc::SymbolMap found;
    for (const auto& [symbol, flags] : symbols) {
      llvm::StringRef name = *symbol;
      const void* address;
      if (name.consume_front(kLoopPrefix)) {
        address =
            runtime::FindInnerLoop(absl::string_view(name.data(), name.size()));
        if (!address)
          return llvm::createStringError("NumPy's inner loop " + name +
                                         " is not registered");
      } else {
        address = LibraryFunction(absl::string_view(name.data(), name.size()));
      }
      if (address)
        found[symbol] = {orc::ExecutorAddr::fromPtr(address),
                         llvm::JITSymbolFlags::Exported};
    }
    if (found.empty()) return llvm::Error::success();
    return library.define(orc::absoluteSymbols(std::move(found)));
  }
};

// One linker for the process; each kernel is a library of its own in it, so
// that it can go alone.
class Linker {
 public:
  static absl::StatusOr<Linker*> Get() {
    static auto* linker = new absl::StatusOr<std::unique_ptr<Linker>>(Make());
    if (!linker->ok()) return linker->status();
    return linker->value().get();
  }

  struct Loaded {
    orc::JITDylibSP library;
    void* address;
  };

  absl::StatusOr<Loaded> Load(absl::string_view object) {
    InitializeLlvm();
    orc::JITDylib& library =
        session_.createBareJITDylib(absl::StrCat("kernel", ++count_));
    library.addToLinkOrder(*symbols_);
    auto fail = [&](llvm::Error error) {
      absl::Status status = ToStatus(std::move(error));
      llvm::consumeError(session_.removeJITDylib(library));
      return status;
    };
    // Linking is over when the lookup returns, so the object need not be
    // copied.
    auto buffer = llvm::MemoryBuffer::getMemBuffer(
        llvm::StringRef(object.data(), object.size()), "kernel",
        /*RequiresNullTerminator=*/false);
    if (llvm::Error error = layer_.add(library, std::move(buffer)))
      return fail(std::move(error));
    auto symbol = session_.lookup({&library}, kKernelSymbol);
    if (!symbol) {
      // The reasons go to the session's reporter; the lookup only says which
      // symbol is missing.
      absl::Status status = fail(symbol.takeError());
      const std::lock_guard lock(mutex_);
      if (!reason_.empty())
        status = absl::NotFoundError(std::exchange(reason_, {}));
      return status;
    }
    return Loaded{&library, symbol->getAddress().toPtr<void*>()};
  }

  void Unload(orc::JITDylib& library) {
    llvm::consumeError(session_.removeJITDylib(library));
  }

 private:
  explicit Linker(std::unique_ptr<orc::ExecutorProcessControl> control)
      : session_(std::move(control)), layer_(session_) {
    session_.setErrorReporter([this](llvm::Error error) {
      const std::lock_guard lock(mutex_);
      reason_ = llvm::toString(std::move(error));
    });
    symbols_ = &session_.createBareJITDylib("symbols");
    symbols_->addGenerator(std::make_unique<SymbolGenerator>());
  }

  static absl::StatusOr<std::unique_ptr<Linker>> Make() {
    auto control = orc::SelfExecutorProcessControl::Create(
        nullptr, std::make_unique<orc::InPlaceTaskDispatcher>());
    if (!control) return ToStatus(control.takeError());
    return absl::WrapUnique(new Linker(std::move(*control)));
  }

  orc::ExecutionSession session_;
  orc::ObjectLinkingLayer layer_;
  orc::JITDylib* symbols_ = nullptr;
  std::atomic<int64_t> count_{0};
  std::mutex mutex_;
  std::string reason_;
};

struct LoadedKernel : runtime::Kernel {
  ~LoadedKernel() override { linker->Unload(*library); }
  Linker* linker = nullptr;
  orc::JITDylibSP library;
};

}  // namespace

absl::StatusOr<std::string> CompileObject(llvm::Module& module,
                                          OptLevel level) {
  return Compile(module, level, llvm::CodeGenFileType::ObjectFile);
}

absl::StatusOr<std::string> CompileAssembly(llvm::Module& module,
                                            OptLevel level) {
  return Compile(module, level, llvm::CodeGenFileType::AssemblyFile);
}

absl::StatusOr<std::unique_ptr<runtime::Kernel>> LoadObject(
    absl::string_view object, absl::string_view name) {
  FUSEAU_ASSIGN_OR_RETURN(Linker * linker, Linker::Get());
  FUSEAU_ASSIGN_OR_RETURN(Linker::Loaded loaded, linker->Load(object));
  auto kernel = std::make_unique<LoadedKernel>();
  kernel->linker = linker;
  kernel->library = std::move(loaded.library);
  kernel->fn = reinterpret_cast<runtime::KernelFn>(loaded.address);
  kernel->name = std::string(name);
  return kernel;
}

void WarmUpCompiler(const Target& target) {
  // y[i] += 1.0 on vectors, with a mask: it takes the ways that kernels take.
  llvm::LLVMContext context;
  llvm::Module module("warm_up", context);
  llvm::IRBuilder<> b(context);
  auto* type = llvm::FunctionType::get(
      b.getVoidTy(), {b.getInt64Ty(), b.getInt64Ty(), b.getPtrTy()}, false);
  auto* function = llvm::Function::Create(
      type, llvm::GlobalValue::ExternalLinkage, kKernelSymbol, module);
  function->addFnAttr("target-cpu", target.cpu);
  if (!target.features.empty())
    function->addFnAttr("target-features", target.features);
  auto* entry = llvm::BasicBlock::Create(context, "entry", function);
  auto* loop = llvm::BasicBlock::Create(context, "loop", function);
  auto* done = llvm::BasicBlock::Create(context, "done", function);
  b.SetInsertPoint(entry);
  b.CreateBr(loop);
  b.SetInsertPoint(loop);
  llvm::PHINode* index = b.CreatePHI(b.getInt64Ty(), 2);
  index->addIncoming(function->getArg(0), entry);
  auto* vector =
      llvm::FixedVectorType::get(b.getDoubleTy(), target.VectorBytes() / 8);
  llvm::Value* address =
      b.CreateGEP(b.getDoubleTy(), function->getArg(2), index);
  llvm::Value* sum =
      b.CreateFAdd(b.CreateAlignedLoad(vector, address, llvm::Align()),
                   llvm::ConstantFP::get(vector, 1.0));
  if (target.HasMasks())
    b.CreateMaskedStore(sum, address, llvm::Align(),
                        b.CreateFCmpOGT(sum, llvm::ConstantFP::get(vector, 0)));
  else
    b.CreateAlignedStore(sum, address, llvm::Align());
  llvm::Value* next = b.CreateAdd(index, b.getInt64(8));
  index->addIncoming(next, loop);
  b.CreateCondBr(b.CreateICmpSLT(next, function->getArg(1)), loop, done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
  auto object = CompileObject(module, OptLevel::kO1);
  if (object.ok()) LoadObject(*object, "warm_up").IgnoreError();
}

absl::string_view CompilerVersion() { return LLVM_VERSION_STRING; }

}  // namespace fuseau::codegen
