// A wall clock that a test sets forward: loaded in front of the C library.
// $CLOCK_SHIFT is a file with the seconds that are added, as text. The monotonic clock runs as it does.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (result != 0 || clock != CLOCK_REALTIME) return result;
  FILE *file = fopen(getenv("CLOCK_SHIFT"), "r");
  long seconds = 0;
  if (file) {
    if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
    fclose(file);
  }
  time->tv_sec += seconds;
  return 0;
}
