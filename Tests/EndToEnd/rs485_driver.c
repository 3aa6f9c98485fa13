// A serial driver that can turn an RS-485 line, for pseudo-terminals: loaded in front of the C library.
// Writes each TIOCSRS485 as "path flags" to $RS485_LOG; $RS485_ON is a line that is turned already.
#include <errno.h>
#include <linux/serial.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int file, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (request != TIOCGRS485 && request != TIOCSRS485) {
    return (int)syscall(SYS_ioctl, file, request, argument);
  }
  char path[64] = "";
  ttyname_r(file, path, sizeof path);
  struct serial_rs485 *mode = argument;
  if (request == TIOCGRS485) {
    memset(mode, 0, sizeof *mode);
    const char *on = getenv("RS485_ON");
    if (on && strcmp(on, path) == 0) mode->flags = SER_RS485_ENABLED;
    return 0;
  }
  FILE *log = fopen(getenv("RS485_LOG"), "a");
  if (!log) return -1;
  fprintf(log, "%s %u\n", path, mode->flags);
  fclose(log);
  return 0;
}
