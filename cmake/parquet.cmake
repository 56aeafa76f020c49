# Arrow's C++ libraries as our own imported target `parquet_library`, for the Parquet files that question sets are
# published as. They come out of the pyarrow wheel; scripts/setup has put them into .deps/pyarrow, and the option is on
# where they are. The binary that travels and the sanitizers do without: the wheel has shared libraries only.
set(ARROW_DIR "$ENV{ARROW_DIR}" CACHE PATH "Folder with libparquet.so.2300, libarrow.so.2300 and include/")
if(NOT ARROW_DIR)
  set(ARROW_DIR ${PROJECT_SOURCE_DIR}/.deps/pyarrow)
endif()
set(parquet_default OFF)
if(EXISTS ${ARROW_DIR}/libparquet.so.2300 AND NOT MOELAB_PORTABLE AND NOT MOELAB_SANITIZE)
  set(parquet_default ON)
endif()
option(MOELAB_PARQUET "Read Parquet files through Arrow's C++ libraries" ${parquet_default})

add_library(parquet_library INTERFACE)
if(MOELAB_PARQUET)
  if(NOT EXISTS ${ARROW_DIR}/libparquet.so.2300)
    message(FATAL_ERROR "Arrow is not in ${ARROW_DIR}: run scripts/setup, set ARROW_DIR, or turn MOELAB_PARQUET off")
  endif()
  target_include_directories(parquet_library SYSTEM INTERFACE ${ARROW_DIR}/include)
  target_link_libraries(parquet_library INTERFACE ${ARROW_DIR}/libparquet.so.2300 ${ARROW_DIR}/libarrow.so.2300)
  target_link_options(parquet_library INTERFACE -Wl,-rpath,${ARROW_DIR})
endif()
