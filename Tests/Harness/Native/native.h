#ifndef NATIVE_H
#define NATIVE_H

/// The next byte of standard input, -1 at its end.
int native_next_byte(void);

/// Writes all of `size` bytes to standard output, or ends the process.
void native_write(const void *bytes, unsigned long size);

/// Prints `text` as a line to standard error.
void native_report(const char *text);

/// Heap allocations since the process began; only in the fuzz driver.
unsigned long native_allocations(void);

/// libFuzzer's own mutation of `count` bytes in place, up to `capacity`; only in the fuzz driver.
unsigned long native_mutate(unsigned char *bytes, unsigned long count, unsigned long capacity);

#endif
