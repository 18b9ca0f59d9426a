/* Makes one call of the C library fail, for LD_PRELOAD: FAILING_CALL="fsync:3" is the third fsync. The calls of write and
   writev are counted together, and only those to files of a folder that FAILING_FOLDER names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int fails(const char *call) {
  static int count = 0;
  const char *wanted = getenv("FAILING_CALL");
  size_t length = strlen(call);
  if (wanted == NULL || strncmp(wanted, call, length) != 0 || wanted[length] != ':') return 0;
  return ++count == atoi(wanted + length + 1);
}

static int is_in_folder(int file) {
  char link[64], path[4096];
  ssize_t length;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, getenv("FAILING_FOLDER")) != NULL;
}

ssize_t write(int file, const void *bytes, size_t size) {
  ssize_t (*real)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  if (is_in_folder(file) && fails("write")) {
    errno = ENOSPC;
    return -1;
  }
  return real(file, bytes, size);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  ssize_t (*real)(int, const struct iovec *, int) = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  if (is_in_folder(file) && fails("write")) {
    errno = ENOSPC;
    return -1;
  }
  return real(file, parts, count);
}

int fsync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  if (is_in_folder(file) && fails("fsync")) {
    errno = EIO;
    return -1;
  }
  return real(file);
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
  if (strstr(to, getenv("FAILING_FOLDER")) != NULL && fails("rename")) {
    errno = EIO;
    return -1;
  }
  return real(from, to);
}
