# Sources of one folder and target are compiled several at a time: with sanitizers the greater part of a compilation is
# the same templates again. Folders share a namespace and its names, which is why they are the groups. The release and
# the analysing preset compile every file by itself, so nobody gets by with a neighbour's include.
#
# A name that two files of a folder have in their unnamed namespaces is one of three things: a helper that should be
# shared, a name that could say more, or a file for PIEVT_ALONE.
option(PIEVT_UNITY "Compile several sources of a folder at a time" OFF)
set(PIEVT_UNITY_FILES 6)

# These call the library's digest and the schemas' by the same name, and neighbours of theirs use the schemas' unqualified.
list(APPEND PIEVT_ALONE ${PROJECT_SOURCE_DIR}/store/model/run_state.cc ${PROJECT_SOURCE_DIR}/tests/store/views/views_test.cc)

function(pievt_unite_target target)
  get_target_property(sources ${target} SOURCES)
  get_target_property(directory ${target} SOURCE_DIR)
  foreach(source ${sources})
    if(NOT source MATCHES "\\.cc$")
      continue()
    endif()
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${directory} NORMALIZE OUTPUT_VARIABLE path)
    get_source_file_property(own_definitions ${path} TARGET_DIRECTORY ${target} COMPILE_DEFINITIONS)
    if(own_definitions OR path IN_LIST PIEVT_ALONE)
      continue()
    endif()
    cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE folder)
    cmake_path(GET folder PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    math(EXPR count_${folder} "0${count_${folder}} + 1")
    math(EXPR group "(${count_${folder}} - 1) / ${PIEVT_UNITY_FILES}")
    set_source_files_properties(${path} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP "${folder}_${group}")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # The joint file is no header, but GCC warns as if what it includes were.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

function(pievt_unite directory)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(type MATCHES "EXECUTABLE|STATIC_LIBRARY" AND NOT target MATCHES "^pievt_precompiled")
      pievt_unite_target(${target})
    endif()
  endforeach()
  get_property(folders DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(folder ${folders})
    pievt_unite(${folder})
  endforeach()
endfunction()

if(PIEVT_UNITY)
  pievt_unite(${PROJECT_SOURCE_DIR})
endif()
