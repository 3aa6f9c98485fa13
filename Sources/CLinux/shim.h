// The kernel's and the C library's interfaces that Swift's Glibc module does not map.
// No feature macro here: with _GNU_SOURCE the types would differ from those of Swift's module.
#include <elf.h>
#include <link.h>
#include <linux/serial.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timex.h>
#include <sys/types.h>

// prctl is variadic, which Swift cannot call.
static inline int linux_disable_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// dl_iterate_phdr(3), which <link.h> only declares with _GNU_SOURCE: a loaded object's bias, name
// and program headers, the first members of struct dl_phdr_info.
struct linux_object {
  ElfW(Addr) address;
  const char *name;
  const ElfW(Phdr) *headers;
  ElfW(Half) header_count;
};
int linux_each_object(int (*visit)(struct linux_object *, size_t, void *), void *context)
    __asm__("dl_iterate_phdr");

// struct ucred, which <sys/socket.h> only declares with _GNU_SOURCE: unix(7), SO_PEERCRED.
struct linux_peer {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};

// pthread_getattr_np(3), which <pthread.h> only declares with _GNU_SOURCE.
int linux_thread_attributes(pthread_t thread, pthread_attr_t *attributes)
    __asm__("pthread_getattr_np");

// The lowest address that the calling thread's stack may grow to; NULL if it cannot be told.
static inline void *linux_stack_bottom(void) {
  pthread_attr_t attributes;
  void *bottom = 0;
  size_t size = 0;
  if (linux_thread_attributes(pthread_self(), &attributes) != 0) return 0;
  if (pthread_attr_getstack(&attributes, &bottom, &size) != 0) bottom = 0;
  pthread_attr_destroy(&attributes);
  return bottom;
}
