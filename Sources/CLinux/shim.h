// The kernel's and the C library's interfaces that Swift's Glibc module does not map.
#define _GNU_SOURCE 1
#include <link.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timex.h>

// prctl is variadic, which Swift cannot call.
static inline int linux_disable_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
