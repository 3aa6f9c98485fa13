// What the fuzz driver asks of libFuzzer and of AddressSanitizer's allocator.
#include <stddef.h>
#include <stdlib.h>

#include "native.h"

// Of <sanitizer/allocator_interface.h>, which not every toolchain ships.
int __sanitizer_install_malloc_and_free_hooks(
    void (*allocated)(const volatile void *, size_t), void (*freed)(const volatile void *));

// Of <fuzzer/FuzzerInterface.h>.
size_t LLVMFuzzerMutate(unsigned char *bytes, size_t count, size_t capacity);

unsigned long native_mutate(unsigned char *bytes, unsigned long count, unsigned long capacity) {
  return LLVMFuzzerMutate(bytes, count, capacity);
}

// Of this thread: libFuzzer has another that watches the memory.
static __thread unsigned long allocations;

unsigned long native_allocations(void) { return allocations; }

static void count(const volatile void *memory, size_t size) {
  (void)memory;
  (void)size;
  allocations++;
}

static void ignore(const volatile void *memory) { (void)memory; }

__attribute__((constructor)) static void install(void) {
  if (__sanitizer_install_malloc_and_free_hooks(count, ignore) == 0) {
    native_report("sanitizers: no hook for allocations");
    abort();
  }
}
