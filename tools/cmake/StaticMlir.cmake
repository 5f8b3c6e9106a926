# LLVM and MLIR as static libraries.
#
# Debian's static MLIR targets name the shared libLLVM in their link interface.
# Linked beside static LLVM components, that puts two LLVMs into one process,
# which crashes; so the name is removed from every target that is reached.

find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
set(LLVM_LINK_LLVM_DYLIB OFF)
find_program(FUSEAU_MLIR_TBLGEN mlir-tblgen HINTS ${LLVM_TOOLS_BINARY_DIR}
  NO_DEFAULT_PATH REQUIRED)
find_program(FUSEAU_LLVM_TBLGEN llvm-tblgen HINTS ${LLVM_TOOLS_BINARY_DIR}
  NO_DEFAULT_PATH REQUIRED)

function(_fuseau_strip_dylib)
  set(todo ${ARGN})
  set(done)
  while(todo)
    list(POP_FRONT todo t)
    if(t IN_LIST done OR NOT TARGET ${t} OR NOT t MATCHES "^MLIR")
      continue()
    endif()
    list(APPEND done ${t})
    get_target_property(links ${t} INTERFACE_LINK_LIBRARIES)
    if(links)
      string(REGEX REPLACE "\\$<LINK_ONLY:([^>]*)>" "\\1" links "${links}")
      list(REMOVE_ITEM links LLVM)
      set_target_properties(${t} PROPERTIES INTERFACE_LINK_LIBRARIES "${links}")
      list(APPEND todo ${links})
    endif()
  endwhile()
endfunction()

# fuseau::llvm and fuseau::mlir carry headers and the libraries we need.
llvm_map_components_to_libnames(FUSEAU_LLVM_LIBS
  core support target targetparser analysis codegen orcjit jitlink
  x86codegen x86asmparser x86desc x86info)
add_library(fuseau_llvm INTERFACE)
add_library(fuseau::llvm ALIAS fuseau_llvm)
target_include_directories(fuseau_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
target_link_libraries(fuseau_llvm INTERFACE ${FUSEAU_LLVM_LIBS})

set(FUSEAU_MLIR_LIBS MLIRIR MLIRParser MLIRPass MLIRArithDialect
  MLIRFuncDialect MLIRMathDialect MLIRComplexDialect MLIRTransforms
  MLIRTransformUtils)
_fuseau_strip_dylib(${FUSEAU_MLIR_LIBS} MLIROptLib)
add_library(fuseau_mlir INTERFACE)
add_library(fuseau::mlir ALIAS fuseau_mlir)
target_include_directories(fuseau_mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS})
target_link_libraries(fuseau_mlir INTERFACE ${FUSEAU_MLIR_LIBS} fuseau::llvm)
