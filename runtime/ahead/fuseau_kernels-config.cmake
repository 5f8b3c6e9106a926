# find_package(fuseau_kernels) for programs that `fuseau compile` made:
#
#   list(APPEND CMAKE_PREFIX_PATH <what `fuseau compile --cmake-dir` prints>)
#   find_package(fuseau_kernels REQUIRED)
#   fuseau_add_kernels(heat SOURCE heat.py:step ARGS "f64[n,m]" f64)
#   target_link_libraries(app PRIVATE heat)
#
# Targets: fuseau::kernels_runtime, the library and its headers.

get_filename_component(_fuseau_kernels "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
find_package(Threads REQUIRED)

if(NOT TARGET fuseau::kernels_runtime)
  add_library(fuseau::kernels_runtime STATIC IMPORTED)
  set_target_properties(fuseau::kernels_runtime PROPERTIES
    IMPORTED_LOCATION "${_fuseau_kernels}/lib/libfuseau_kernels_runtime.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_fuseau_kernels}/include"
    INTERFACE_LINK_LIBRARIES "stdc++;m;Threads::Threads")
endif()

# fuseau_add_kernels(TARGET SOURCE file.py:function ARGS type[sizes]...
#   [SIZES n=100,m=200...] [NAME function] [CPU x86-64-v3] [DEPENDS file...])
# adds a library TARGET with the compiled function; its header is NAME.h. The
# command `fuseau` is taken from FUSEAU_COMMAND or found.
function(fuseau_add_kernels target)
  cmake_parse_arguments(ARG "" "SOURCE;NAME;CPU" "ARGS;SIZES;DEPENDS" ${ARGN})
  if(NOT ARG_SOURCE MATCHES "^(.*):([A-Za-z_0-9]+)$")
    message(FATAL_ERROR
      "fuseau_add_kernels(${target}): SOURCE is '${ARG_SOURCE}', "
      "expected file.py:function")
  endif()
  set(file "${CMAKE_MATCH_1}")
  set(function "${CMAKE_MATCH_2}")
  if(NOT IS_ABSOLUTE "${file}")
    set(file "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
  endif()
  if(NOT FUSEAU_COMMAND)
    find_program(FUSEAU_COMMAND fuseau REQUIRED)
  endif()
  set(name "${function}")
  if(ARG_NAME)
    set(name "${ARG_NAME}")
  endif()
  set(flags --name "${name}")
  foreach(arg IN LISTS ARG_ARGS)
    list(APPEND flags --arg "${arg}")
  endforeach()
  foreach(size IN LISTS ARG_SIZES)
    list(APPEND flags --size "${size}")
  endforeach()
  if(ARG_CPU)
    list(APPEND flags --cpu "${ARG_CPU}")
  endif()
  set(stem "${CMAKE_CURRENT_BINARY_DIR}/${target}/${name}")
  add_custom_command(OUTPUT "${stem}.o" "${stem}.h"
    COMMAND ${FUSEAU_COMMAND} compile "${file}:${function}" ${flags}
      -o "${stem}"
    DEPENDS "${file}" ${ARG_DEPENDS} VERBATIM)
  add_library(${target} STATIC "${stem}.o" "${stem}.h")
  set_source_files_properties("${stem}.o" PROPERTIES
    EXTERNAL_OBJECT TRUE GENERATED TRUE)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(${target} INTERFACE
    "${CMAKE_CURRENT_BINARY_DIR}/${target}")
  target_link_libraries(${target} INTERFACE fuseau::kernels_runtime)
endfunction()
