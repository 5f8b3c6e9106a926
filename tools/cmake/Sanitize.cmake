# Options of a build with sanitizers, and the environment in which its programs
# run: FUSEAU_SANITIZE_ENVIRONMENT for our own, FUSEAU_SANITIZE_PRELOAD in
# addition for a Python that loads the extension.

set(FUSEAU_SANITIZE_ENVIRONMENT)
set(FUSEAU_SANITIZE_PRELOAD)
if(NOT FUSEAU_SANITIZE)
  return()
endif()

# The type check of indirect calls reads the bytes before a function, which
# compiled kernels and NumPy's loops do not have.
add_compile_options(-fsanitize=${FUSEAU_SANITIZE} -fno-sanitize=function
  -fno-omit-frame-pointer)
add_link_options(-fsanitize=${FUSEAU_SANITIZE})

# LLVM's libraries are not instrumented, so they do not tell when they hand out
# memory of an allocator that our side marks as poisoned.
list(APPEND FUSEAU_SANITIZE_ENVIRONMENT
  "ASAN_OPTIONS=allow_user_poisoning=0"
  "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1")
if(FUSEAU_SANITIZE MATCHES "address")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER}
    -print-file-name=libclang_rt.asan-x86_64.so
    OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
  # Python keeps memory until it ends.
  list(APPEND FUSEAU_SANITIZE_PRELOAD "LD_PRELOAD=${runtime}"
    "ASAN_OPTIONS=allow_user_poisoning=0:detect_leaks=0"
    "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1")
elseif(FUSEAU_SANITIZE MATCHES "thread")
  execute_process(COMMAND ${CMAKE_CXX_COMPILER}
    -print-file-name=libclang_rt.tsan-x86_64.so
    OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
  # Children of a fork compute, too.
  list(APPEND FUSEAU_SANITIZE_ENVIRONMENT "TSAN_OPTIONS=die_after_fork=0")
  list(APPEND FUSEAU_SANITIZE_PRELOAD "LD_PRELOAD=${runtime}"
    "TSAN_OPTIONS=die_after_fork=0")
endif()
