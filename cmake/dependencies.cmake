# Every library comes from Debian 12 (see scripts/setup). CONFIG throughout: RocksDB's package brings a
# Findzstd.cmake of its own that would otherwise shadow zstd's.
find_package(Threads REQUIRED)
find_package(RocksDB CONFIG REQUIRED)
# The shared library looks 11,000 of its own names up each time a program starts, which is most of what a short verb
# does (measured: pievt --version 6.5 ms of CPU, 4 with the archive). Whoever links it uses this one: two of
# them in one program would be two RocksDBs. Sanitizers see more of the shared one.
set(PIEVT_ROCKSDB $<IF:$<CONFIG:Release>,RocksDB::rocksdb,RocksDB::rocksdb-shared>)
find_package(FlatBuffers CONFIG REQUIRED)
find_package(zstd CONFIG REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(simdjson CONFIG REQUIRED)
find_package(RapidJSON CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
if(PIEVT_TESTS)
  find_package(GTest CONFIG REQUIRED)
endif()
if(PIEVT_BENCH)
  find_package(benchmark CONFIG REQUIRED)
endif()
