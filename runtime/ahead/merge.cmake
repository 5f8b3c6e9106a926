# Merges objects and what they need of archives into one object, and hides
# everything but fuseau_kernels_*. Groups of sections that linkers keep once are
# dissolved, since their symbols are hidden, too.
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

string(REPLACE "," ";" OBJECTS "${OBJECTS}")
string(REPLACE "," ";" ARCHIVES "${ARCHIVES}")
file(GLOB absl ${ABSL_FOLDER}/libabsl_*.a)
run(${LD} -r --force-group-allocation --gc-sections
  -u fuseau_kernels_run -u fuseau_kernels_result_shape
  -u fuseau_kernels_message -o ${OUT} ${OBJECTS}
  --start-group ${ARCHIVES} ${absl} --end-group)
run(${OBJCOPY} --wildcard --keep-global-symbol=fuseau_kernels_*
  --strip-debug ${OUT})
# A program may put the library into a shared one, which these references to
# variables of threads do not allow.
execute_process(COMMAND ${READELF} -rW ${OUT} OUTPUT_VARIABLE relocations
  COMMAND_ERROR_IS_FATAL ANY)
if(relocations MATCHES "R_X86_64_TPOFF32 [^\n]*")
  message(FATAL_ERROR "${OUT} fits no shared library: ${CMAKE_MATCH_0}")
endif()
get_filename_component(folder ${LIBRARY} DIRECTORY)
file(MAKE_DIRECTORY ${folder})
file(REMOVE ${LIBRARY})
run(${AR} rcs ${LIBRARY} ${OUT})
