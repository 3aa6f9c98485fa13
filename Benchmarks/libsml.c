// Times libsml on one SML file, for Benchmarks/compare.py.
//
//     libsml FILE ROUNDS CALLS     prints values, nanoseconds a call (best round), bytes of heap a call
//
// Only the parser is timed: what finds a file in a stream reads byte by byte from a descriptor there,
// and would be charged with its system calls.
#include <malloc.h>
#include <sml/sml_file.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ESCAPES = 8 };

static int64_t nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int values(const sml_file *file) {
  int count = 0;
  for (int index = 0; index < file->messages_len; index++) {
    const sml_message *message = file->messages[index];
    if (*message->message_body->tag != SML_MESSAGE_GET_LIST_RESPONSE) continue;
    const sml_get_list_response *response = message->message_body->data;
    for (const sml_list *entry = response->val_list; entry != NULL; entry = entry->next) count++;
  }
  return count;
}

int main(int count, char **arguments) {
  static unsigned char bytes[8192];
  FILE *input = count == 4 ? fopen(arguments[1], "rb") : NULL;
  if (input == NULL) return 2;
  size_t size = fread(bytes, 1, sizeof bytes, input);
  if (size < 2 * ESCAPES) return 2;
  int64_t best = INT64_MAX;
  int found = 0;
  int rounds = atoi(arguments[2]), calls = atoi(arguments[3]);
  for (int round = 0; round < rounds; round++) {
    int64_t began = nanoseconds();
    for (int call = 0; call < calls; call++) {
      sml_file *file = sml_file_parse(bytes + ESCAPES, size - 2 * ESCAPES);
      if (file == NULL) return 1;
      sml_file_free(file);
    }
    int64_t spent = nanoseconds() - began;
    if (spent < best) best = spent;
  }
  size_t before = mallinfo2().uordblks;
  sml_file *file = sml_file_parse(bytes + ESCAPES, size - 2 * ESCAPES);
  size_t heap = mallinfo2().uordblks - before;
  found = values(file);
  sml_file_free(file);
  printf("%d %lld %zu\n", found, (long long)(best / (calls > 0 ? calls : 1)), heap);
  return 0;
}
