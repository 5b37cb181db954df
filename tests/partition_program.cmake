# SPDX-License-Identifier: GPL-2.0-or-later
# For a folder whose programs are partitions', built as those of hv/ are and put
# beside them, so that scenarios and policies name them alike.  To be included:
# what it sets is the folder's.
set(CMAKE_C_FLAGS "")
set(CMAKE_ASM_FLAGS "")
foreach(type DEBUG RELEASE RELWITHDEBINFO MINSIZEREL)
	set(CMAKE_C_FLAGS_${type} "")
	set(CMAKE_ASM_FLAGS_${type} "")
endforeach()
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)

file(GLOB PARTITION_LIB CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/hv/lib/*.c
	${PROJECT_SOURCE_DIR}/hv/lib/*.S)

# Target hv_NAME makes FILE, a path below BUILD/hv, of the sources and hv/lib.
function(partition_program name file)
	set(script ${PROJECT_SOURCE_DIR}/hv/lib/partition.ld)
	get_filename_component(folder ${CMAKE_BINARY_DIR}/hv/${file} DIRECTORY)
	get_filename_component(output ${file} NAME)
	add_executable(hv_${name} ${ARGN})
	target_sources(hv_${name} PRIVATE ${PARTITION_LIB})
	target_link_libraries(hv_${name} PRIVATE hv_flags)
	target_link_options(hv_${name} PRIVATE -Wl,-T,${script})
	set_target_properties(hv_${name} PROPERTIES
		OUTPUT_NAME ${output}
		RUNTIME_OUTPUT_DIRECTORY ${folder}
		LINK_DEPENDS ${script})
	add_dependencies(hv_images hv_${name})
endfunction()
