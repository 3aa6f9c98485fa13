#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H
#include <stdint.h>

/// Heap allocations of the calling thread since it started: malloc, calloc, realloc,
/// posix_memalign and aligned_alloc, each counted once. glibc only.
uint64_t allocation_count(void);

#endif
