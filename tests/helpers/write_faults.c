/* Counts the system calls by which a process and its children write below one folder, and kills or fails some of them.
 *
 * Environment: WRITE_FAULTS_FOLDER   the folder
 *              WRITE_FAULTS_CONTROL  a file of four numbers that all processes map; see struct control
 *
 * Loaded with LD_PRELOAD; Linux only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct control {
    _Atomic unsigned long count; /* calls so far */
    unsigned long first, last;   /* the numbers of the calls that are struck, from 1 */
    unsigned long error;         /* 0 kills the process before the call; an errno fails it, unless it frees space */
};

static struct control *control;
static char folder[4096];

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("WRITE_FAULTS_CONTROL"), *where = getenv("WRITE_FAULTS_FOLDER");
    if (path == NULL || where == NULL)
        return;
    snprintf(folder, sizeof folder, "%s", where);
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0)
        return;
    void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (map != MAP_FAILED)
        control = map;
    close(descriptor);
}

static int below(const char *path) {
    size_t length = strlen(folder);
    return path != NULL && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static int strikes(int concerned, int frees) {
    if (control == NULL || !concerned || (control->error != 0 && frees))
        return 0;
    unsigned long number = atomic_fetch_add(&control->count, 1) + 1;
    if (number < control->first || number > control->last)
        return 0;
    if (control->error == 0)
        raise(SIGKILL);
    errno = (int)control->error;
    return 1;
}

static int path_strikes(const char *path, int frees) {
    char absolute[8192], here[4096];
    if (control == NULL || path == NULL)
        return 0;
    if (path[0] == '/')
        return strikes(below(path), frees);
    if (getcwd(here, sizeof here) == NULL)
        return 0;
    snprintf(absolute, sizeof absolute, "%s/%s", here, path);
    return strikes(below(absolute), frees);
}

static int descriptor_strikes(int descriptor, int frees) {
    char link[64], target[4096];
    if (control == NULL)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0)
        return 0;
    target[length] = '\0';
    return strikes(below(target), frees);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_DESCRIPTOR(type, frees, name, parameters, ...)                                                              \
    type name parameters {                                                                                             \
        return descriptor_strikes(fd, frees) ? -1 : REAL(name)(__VA_ARGS__);                                           \
    }
#define ON_PATH(frees, name, parameters, ...)                                                                          \
    int name parameters {                                                                                              \
        return path_strikes(path, frees) ? -1 : REAL(name)(__VA_ARGS__);                                               \
    }

ON_DESCRIPTOR(ssize_t, 0, write, (int fd, const void *data, size_t count), fd, data, count)
ON_DESCRIPTOR(ssize_t, 0, writev, (int fd, const struct iovec *parts, int count), fd, parts, count)
ON_DESCRIPTOR(ssize_t, 0, pwrite, (int fd, const void *data, size_t count, off_t at), fd, data, count, at)
ON_DESCRIPTOR(ssize_t, 0, pwrite64, (int fd, const void *data, size_t count, off64_t at), fd, data, count, at)
ON_DESCRIPTOR(int, 0, fsync, (int fd), fd)
ON_DESCRIPTOR(int, 0, fdatasync, (int fd), fd)
ON_DESCRIPTOR(int, 1, ftruncate, (int fd, off_t length), fd, length)
ON_DESCRIPTOR(int, 1, ftruncate64, (int fd, off64_t length), fd, length)
ON_DESCRIPTOR(int, 1, fchmod, (int fd, mode_t mode), fd, mode)
ON_PATH(0, link, (const char *path, const char *to), path, to)
ON_PATH(0, mkdir, (const char *path, mode_t mode), path, mode)
ON_PATH(0, rename, (const char *path, const char *to), path, to)
ON_PATH(1, unlink, (const char *path), path)
ON_PATH(1, rmdir, (const char *path), path)
ON_PATH(1, chmod, (const char *path, mode_t mode), path, mode)
ON_PATH(1, truncate, (const char *path, off_t length), path, length)

#define OPENING(name)                                                                                                  \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                        \
        va_end(rest);                                                                                                  \
        int creates = flags & O_CREAT && access(path, F_OK) != 0;                                                      \
        return creates && path_strikes(path, 0) ? -1 : REAL(name)(path, flags, mode);                                  \
    }
OPENING(open)
OPENING(open64)
