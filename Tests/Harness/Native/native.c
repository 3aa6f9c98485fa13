// What a program without a Swift runtime needs of the system, and what the fuzz driver needs of it.
#include "native.h"

#include <string.h>
#include <unistd.h>

int native_next_byte(void) {
  static unsigned char bytes[4096];
  static ssize_t count, next;
  if (next == count) {
    count = read(STDIN_FILENO, bytes, sizeof bytes);
    next = 0;
    if (count <= 0) return -1;
  }
  return bytes[next++];
}

void native_write(const void *bytes, unsigned long size) {
  const char *rest = bytes;
  while (size > 0) {
    ssize_t written = write(STDOUT_FILENO, rest, size);
    if (written <= 0) _exit(3);
    rest += written;
    size -= (unsigned long)written;
  }
}

void native_report(const char *text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) _exit(3);
}
