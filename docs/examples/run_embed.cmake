# Runs the example in a fresh directory and demands what its reader would expect to see.
file(REMOVE_RECURSE ${DIRECTORY})
execute_process(COMMAND ${PROGRAM} ${DIRECTORY} OUTPUT_VARIABLE output RESULT_VARIABLE result)
file(REMOVE_RECURSE ${DIRECTORY})
set(expected "StreamDeclared\nRunPlanned\nJobDeclared\nJobDeclared\nindex\nreview\n2 jobs\n")
if(NOT result EQUAL 0 OR NOT output STREQUAL expected)
  message(FATAL_ERROR "embed exited with ${result} and printed\n${output}but should have printed\n${expected}")
endif()
