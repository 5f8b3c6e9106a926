# Helpers that keep the folders' lists short.

option(FUSEAU_TESTS "Build the unit tests" ON)

# fuseau_library(NAME SRCS ... DEPS ...): static library `fuseau_NAME` with
# alias `fuseau::NAME`.
function(fuseau_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(fuseau_${name} STATIC ${ARG_SRCS})
  add_library(fuseau::${name} ALIAS fuseau_${name})
  target_include_directories(fuseau_${name} PUBLIC
    ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  target_link_libraries(fuseau_${name} PUBLIC ${ARG_DEPS})
endfunction()

# fuseau_test(NAME SRCS ... DEPS ...): GoogleTest program `fuseau_NAME_test`.
function(fuseau_test name)
  if(NOT FUSEAU_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(fuseau_${name}_test ${ARG_SRCS})
  target_include_directories(fuseau_${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(fuseau_${name}_test PRIVATE ${ARG_DEPS}
    GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND fuseau_${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "${FUSEAU_SANITIZE_ENVIRONMENT}")
endfunction()

# fuseau_tablegen(OUTPUT GENERATOR... ): runs mlir-tblgen on a .td of this folder.
function(fuseau_tablegen td output)
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${output}
    COMMAND ${FUSEAU_MLIR_TBLGEN} ${ARGN} -I ${PROJECT_SOURCE_DIR}
      -I ${LLVM_INCLUDE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/${td}
      -o ${CMAKE_CURRENT_BINARY_DIR}/${output}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${td}
      ${PROJECT_SOURCE_DIR}/ir/ops_base.td
    VERBATIM)
endfunction()

# fuseau_gen_ops(KIND OUTPUT): derives a file from the table of operations.
function(fuseau_gen_ops kind output)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/gen_ops.py
      ${PROJECT_BINARY_DIR}/ir/ops.json ${kind} ${output}
    DEPENDS ${PROJECT_SOURCE_DIR}/tools/gen_ops.py
      ${PROJECT_BINARY_DIR}/ir/ops.json
    VERBATIM)
endfunction()
