# Two precompiled headers for all targets: half of the time of a build with sanitizers is the same headers, parsed again.
# Presets without them say CMAKE_DISABLE_PRECOMPILE_HEADERS.
function(pievt_precompiled name)
  cmake_parse_arguments(arg "" "" "HEADERS;LIBS" ${ARGN})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/store/include)
  target_link_libraries(${name} PRIVATE pievt_options pievt_schema fmt::fmt ${arg_LIBS})
  target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
endfunction()

# One for what goes into libraries, and one for test programs: GCC tells -fPIC from -fPIE.
file(WRITE ${CMAKE_BINARY_DIR}/nothing.cc "int main() {}\n")
add_library(pievt_precompiled_library OBJECT ${CMAKE_BINARY_DIR}/nothing.cc)
pievt_precompiled(pievt_precompiled_library HEADERS ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
if(PIEVT_TESTS)
  add_executable(pievt_precompiled_test ${CMAKE_BINARY_DIR}/nothing.cc)
  pievt_precompiled(pievt_precompiled_test HEADERS <gmock/gmock.h> <gtest/gtest.h>
                    ${PROJECT_SOURCE_DIR}/cmake/precompiled.h LIBS GTest::gmock)
  pievt_test_code(pievt_precompiled_test)
endif()
