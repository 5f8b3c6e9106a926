# cmake -DOUTPUT=... -DNAME=... -DSOURCES=a;b -P EmbedText.cmake: a C++ source
# whose function fuseau::codegen::gpu::NAME() gives the text of the files, one
# after the other.
set(text "")
foreach(source ${SOURCES})
  file(READ ${source} part)
  string(APPEND text "${part}\n")
endforeach()
# Compilers need not take literals of more than 64 KiB, but pieces of them.
set(pieces "")
string(LENGTH "${text}" length)
set(start 0)
while(start LESS length)
  string(SUBSTRING "${text}" ${start} 12000 piece)
  string(APPEND pieces "\n    R\"fuseau_text(${piece})fuseau_text\"")
  math(EXPR start "${start} + 12000")
endwhile()
file(WRITE ${OUTPUT} "// Generated from ${SOURCES}.
#include <string>

namespace fuseau::codegen::gpu {

const std::string& ${NAME}() {
  static const std::string* const text = new std::string(${pieces});
  return *text;
}

}  // namespace fuseau::codegen::gpu
")
