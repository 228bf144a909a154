// sseload with a number in each subscription, so that each connection can ask for topics of its own. In the order of
// the connections "{n}" in a GET becomes 0, 1, 2, ... and "{n%100}" the same modulo 100. The referee itself stays as
// it is.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
static ssize_t write_numbered(int fd, const void *request, size_t length);
#define write write_numbered
#include "sseload.c"
#undef write

static ssize_t write_numbered(int fd, const void *request, size_t length) {
  static int next = 0;
  const char *at = request, *end = at + length;
  if (length < 4 || strncmp(at, "GET ", 4)) return write(fd, request, length);
  char numbered[8192];
  size_t size = 0;
  while (at < end && size < sizeof numbered - 16) {
    char *close;
    long modulus = at + 2 < end && !strncmp(at, "{n", 2) && (at[2] == '}' || at[2] == '%') ? 1L << 30 : 0;
    if (!modulus) { numbered[size++] = *at++; continue; }
    close = (char *)at + 2;
    if (*close == '%') modulus = strtol(close + 1, &close, 10);
    if (*close != '}' || modulus < 1) return -1;
    size += sprintf(numbered + size, "%ld", next % modulus);
    at = close + 1;
  }
  next++;
  return at == end && write(fd, numbered, size) == (ssize_t)size ? (ssize_t)length : -1;
}
