# How our own targets are compiled: C++20, warnings are errors, 100 columns of flags nobody has to repeat.
# A target opts in with `target_link_libraries(x PRIVATE pievt_options)`.
add_library(pievt_options INTERFACE)
target_compile_features(pievt_options INTERFACE cxx_std_20)
target_compile_options(
  pievt_options
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
            -Werror -fno-omit-frame-pointer
            # At -O2 GCC 12 takes strings that grow for copies out of bounds (GCC bugs 105329, 105651) and the
            # members of a variant that is another one for uninitialised. The check preset asks for all of these.
            $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-maybe-uninitialized>)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(PIEVT_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, e.g. address,undefined")
if(PIEVT_SANITIZE MATCHES "thread")
  # With TSan's instrumentation GCC 12 sees uninitialised values and copies out of bounds where there are none, as
  # it does at -O2.
  target_compile_options(pievt_options INTERFACE -Wno-maybe-uninitialized -Wno-array-bounds -Wno-restrict
                                           -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(PIEVT_SANITIZE)
  add_compile_options(-fsanitize=${PIEVT_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PIEVT_SANITIZE})
  if(PIEVT_SANITIZE MATCHES "address,undefined")
    # Null pointers, objects that are too small and dead ones end in AddressSanitizer all the same; asking at each
    # access once more is a fifth of the time of a build.
    add_compile_options(-fno-sanitize=null,object-size,vptr)
    # AddressSanitizer's tables are a million addresses that would be put right at each start: half of the time of a
    # short program, and tests start thousands of them.
    add_link_options(-no-pie)
  endif()
endif()

# What is under test carries both sanitizers and is optimised a little. The code of tests itself does without UBSan,
# which doubles what gmock costs to compile, and without the optimiser, which is a third of the rest.
function(pievt_test_code name)
  if(PIEVT_SANITIZE MATCHES "undefined")
    target_compile_options(${name} PRIVATE -fno-sanitize=undefined -O0)
  endif()
endfunction()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
    # The sloppiness is what ccache asks for before it caches anything that uses a precompiled header. It must look
    # headers up by their bytes (depend mode): what it otherwise compares, preprocessed text, is the same when only a
    # comment changed, and GCC knows a header under `#pragma once` again by its bytes, so that a precompiled header out of
    # the cache would not be recognised.
    list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros)
  endif()
endif()
