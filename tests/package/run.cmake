# Installs the build into an empty directory, then configures, builds and runs a project that knows nothing but that
# directory. The consumer must be compiled with the library's sanitizers; a static library carries its calls to them.
file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "`${command}` ended with ${result}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --config ${CONFIG})

# A header that exists and is not installed would be found by its first user only.
file(GLOB headers RELATIVE ${SOURCE}/store/include ${SOURCE}/store/include/pievt/*.h)
foreach(header IN LISTS headers)
  if(NOT EXISTS ${prefix}/include/${header})
    message(FATAL_ERROR "${header} is not installed; add it to the file set in store/CMakeLists.txt")
  endif()
endforeach()

set(sanitize)
if(SANITIZE)
  set(sanitize -fsanitize=${SANITIZE})
endif()
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/package/consumer -B ${WORK}/build -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${prefix} "-DCMAKE_CXX_FLAGS=${sanitize}")
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer ${WORK}/store)
if(NOT output MATCHES "1 event of run/r1")
  message(FATAL_ERROR "the consumer printed: ${output}")
endif()

# The example as it is installed is a project that builds by itself.
file(GLOB_RECURSE example ${prefix}/share/doc/pievt/examples/embed/CMakeLists.txt)
if(NOT example)
  message(FATAL_ERROR "the example embed is not installed")
endif()
run(${prefix}/bin/pievt version)
file(REMOVE_RECURSE ${WORK})
