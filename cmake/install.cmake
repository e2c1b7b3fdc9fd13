# What `cmake --install` gives: the program (tools/), the library with its headers and CMake package, the schemas, and
# the examples. tests/package/ installs into a directory of its own and builds a stranger's project against it.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pievt)

set_target_properties(pievt_schema PROPERTIES EXPORT_NAME schema)
install(
  TARGETS pievt pievt_schema
  EXPORT pievt
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  EXPORT pievt
  NAMESPACE pievt::
  FILE pievtTargets.cmake
  DESTINATION ${package_dir})

# The generated headers are part of the contract; the embedded binary schemas are the library's own.
install(
  DIRECTORY ${PROJECT_BINARY_DIR}/schemas/include/pievt/schema
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pievt
  FILES_MATCHING
  PATTERN "*_generated.h"
  PATTERN "*_bfbs_generated.h" EXCLUDE)

# Before 1.0 a minor version may change the library's interface.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/pievtConfigVersion.cmake
  VERSION ${PROJECT_VERSION}
  COMPATIBILITY SameMinorVersion)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/pievtConfig.cmake.in ${PROJECT_BINARY_DIR}/pievtConfig.cmake
  INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
install(FILES ${PROJECT_BINARY_DIR}/pievtConfig.cmake ${PROJECT_BINARY_DIR}/pievtConfigVersion.cmake
        DESTINATION ${package_dir})

install(
  DIRECTORY ${PROJECT_SOURCE_DIR}/schemas/
  DESTINATION ${CMAKE_INSTALL_DATADIR}/pievt/schemas
  FILES_MATCHING
  PATTERN "*.fbs"
  PATTERN "describe" EXCLUDE)
install(
  DIRECTORY ${PROJECT_SOURCE_DIR}/docs/examples/chapter-review ${PROJECT_SOURCE_DIR}/docs/examples/embed
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES ${PROJECT_SOURCE_DIR}/docs/log_format.md ${PROJECT_SOURCE_DIR}/docs/events.md
              ${PROJECT_SOURCE_DIR}/docs/operations.md ${PROJECT_SOURCE_DIR}/docs/plan.md ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
