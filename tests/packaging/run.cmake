# Configures, builds and runs the project in consumer/, which takes lstmrec in one of the ways listed there.

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${binary}")
set(own -G "${generator}" "-DCMAKE_CXX_COMPILER=${compiler}" "-DCMAKE_CXX_FLAGS=${flags}" "-DEigen3_DIR=${eigen3_dir}")
set(options "-Dway=${way}" "-Dlstmrec=${lstmrec}")
if(way STREQUAL find_package)
  # There is nothing to build before it: the library is headers, and what compiled mode compiles is a user's to build.
  run("${CMAKE_COMMAND}" -S "${lstmrec}" -B "${binary}/lstmrec" ${own} -DLSTMREC_BUILD_TESTS=OFF
    -DLSTMREC_BUILD_EXAMPLES=OFF -DLSTMREC_BUILD_BENCHMARKS=OFF "-DCMAKE_INSTALL_PREFIX=${binary}/installed")
  run("${CMAKE_COMMAND}" --install "${binary}/lstmrec")
  list(APPEND options "-DCMAKE_PREFIX_PATH=${binary}/installed")
  set(lstmrec "nowhere")
elseif(way STREQUAL fetch_eigen)
  # As on a machine without Eigen, the download replaced by the headers that are here.
  list(APPEND options -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON "-DFETCHCONTENT_SOURCE_DIR_EIGEN=${eigen}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/consumer" -B "${binary}/consumer" ${own} ${options}
  COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY OUTPUT_VARIABLE said ECHO_OUTPUT_VARIABLE)
if(NOT said MATCHES "no CMAKE_BUILD_TYPE is set; without optimisation training takes")
  message(FATAL_ERROR "A project without a build type should be told what that costs")
endif()
run("${CMAKE_COMMAND}" --build "${binary}/consumer")
run("${binary}/consumer/consumer")
if(way STREQUAL find_package)
  run("${binary}/consumer/compiled_consumer")
endif()
