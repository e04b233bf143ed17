/* A file system on which other machines see late what one machine writes: loaded with LD_PRELOAD.

   Processes are of the machine that LAG_MACHINE names. Below LAG_ROOT a file that another machine has made
   is not there for LAG_MS, one that it has written to has its old size, and asked for by name its old time:
   as on a network file system whose caches hold names and attributes. What is opened tells its time. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 65536

struct seen {
    uint64_t path, made_ns, grown_ns, touched_ns;
    int64_t old_size;
    struct timespec old_time;
    uint32_t maker, grower, toucher;
};
struct table { int32_t lock; uint64_t served; struct seen slots[SLOTS]; };

static struct table *table;
static uint64_t lag_ns;
static uint32_t machine;
static const char *root;

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("LAG_TABLE"), *own = getenv("LAG_MACHINE"), *ms = getenv("LAG_MS");
    root = getenv("LAG_ROOT");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    if (fd < 0 || !own || !ms || !root) return;
    void *at = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    machine = (uint32_t)atoi(own), lag_ns = (uint64_t)atoi(ms) * 1000000;
    if (at != MAP_FAILED) table = at;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Returns a number for a file below the root, 0 for another one. */
static uint64_t number_of(int dir, const char *path, int fd) {
    char full[PATH_MAX], link[64];
    size_t n = 0;
    if (!table) return 0;
    if (fd >= 0 || !path || path[0] != '/') {
        if (fd < 0 && dir == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", fd >= 0 ? fd : dir);
        ssize_t got = readlink(link, full, sizeof full - 1);
        if (got < 0) return 0;
        n = (size_t)got;
        full[n] = 0;
    }
    if (fd < 0) snprintf(full + n, sizeof full - n, n ? "/%s" : "%s", path ? path : "");
    if (strncmp(full, root, strlen(root)) || full[strlen(root)] != '/') return 0;
    /* Who locks a file sees it as it is: network file systems see to that. */
    if (strstr(full, "/index.db") || strstr(full, "/claims") || strstr(full, "/locks")) return 0;
    uint64_t hash = 14695981039346656037u;
    for (const char *at = full; *at; at++) hash = (hash ^ (unsigned char)*at) * 1099511628211u;
    return hash ? hash : 1;
}

static struct seen *slot_of(uint64_t path) {
    for (uint64_t n = path;; n++) {
        struct seen *slot = &table->slots[n % SLOTS];
        if (slot->path == path) return slot;
        if (!slot->path) { slot->path = path; return slot; }
    }
}

/* Runs a block with the entry of a file, if it is one of ours. */
#define WITH(dir, name, fd, slot, ...) do { \
    int saved = errno; \
    uint64_t number = number_of(dir, name, fd); \
    if (number) { \
        while (__atomic_exchange_n(&table->lock, 1, __ATOMIC_ACQUIRE)) usleep(10); \
        struct seen *slot = slot_of(number); \
        __VA_ARGS__ \
        __atomic_store_n(&table->lock, 0, __ATOMIC_RELEASE); \
    } \
    errno = saved; } while (0)
#define IS_LATE(slot, when, who) \
    ((slot)->when && (slot)->who != machine && now_ns() - (slot)->when < lag_ns && ++table->served)

static int is_hidden(int dir, const char *path, int fd) {
    int hidden = 0;
    WITH(dir, path, fd, slot, { hidden = IS_LATE(slot, made_ns, maker); });
    return hidden;
}
static int exists(int dir, const char *path) { return syscall(SYS_faccessat, dir, path, F_OK) == 0; }
static void made(int dir, const char *path) {
    WITH(dir, path, -1, slot, { slot->made_ns = now_ns(), slot->maker = machine, slot->grown_ns = 0; });
}
/* Who is told that a file exists looks again. */
static void shown(int dir, const char *path) {
    WITH(dir, path, -1, slot, { slot->made_ns = 0; });
}
/* Before a file is written to: its size until now is what others see for a while. */
static void grows(int fd) {
    struct stat now;
    if (!table || syscall(SYS_fstat, fd, &now)) return;
    WITH(AT_FDCWD, NULL, fd, slot, {
        if (!slot->grown_ns || slot->grower != machine || now_ns() - slot->grown_ns >= lag_ns)
            slot->grown_ns = now_ns(), slot->grower = machine, slot->old_size = now.st_size;
    });
}
static int64_t size_seen(int fd, int64_t size) {
    WITH(AT_FDCWD, NULL, fd, slot, { if (IS_LATE(slot, grown_ns, grower) && slot->old_size < size) size = slot->old_size; });
    return size;
}

/* --- what is written --- */

#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }
#define OPEN(name, params, dir, expression) int name params { \
    MODE(flags); \
    int is_new = table && (flags & O_CREAT) && !exists(dir, path); \
    if (!(flags & O_CREAT) && is_hidden(dir, path, -1)) { errno = ENOENT; return -1; } \
    int fd = (expression); \
    if (fd >= 0 && is_new) made(dir, path); \
    if (fd < 0 && errno == EEXIST) shown(dir, path); \
    return fd; }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD, REAL(open)(path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, REAL(open64)(path, flags, mode))
OPEN(openat, (int dir, const char *path, int flags, ...), dir, REAL(openat)(dir, path, flags, mode))
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, REAL(openat64)(dir, path, flags, mode))
FILE *fopen(const char *path, const char *how) {
    if (how[0] == 'r' && is_hidden(AT_FDCWD, path, -1)) { errno = ENOENT; return NULL; }
    return REAL(fopen)(path, how);
}
ssize_t write(int fd, const void *data, size_t size) { grows(fd); return REAL(write)(fd, data, size); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { grows(fd); return REAL(pwrite64)(fd, data, size, at); }
#define PLACE(name, params, dir, to, expression) int name params { \
    int is_new = table && !exists(dir, to); \
    int result = (expression); \
    if (!result && is_new) made(dir, to); \
    if (result && errno == EEXIST) shown(dir, to); \
    return result; }
PLACE(rename, (const char *from, const char *to), AT_FDCWD, to, REAL(rename)(from, to))
PLACE(renameat, (int a, const char *from, int b, const char *to), b, to, REAL(renameat)(a, from, b, to))
PLACE(link, (const char *from, const char *to), AT_FDCWD, to, REAL(link)(from, to))
PLACE(mkdir, (const char *path, mode_t mode), AT_FDCWD, path, REAL(mkdir)(path, mode))
static void touched(int dir, const char *path, int fd) {
    struct stat now;
    if (!table || (fd >= 0 ? syscall(SYS_fstat, fd, &now) : syscall(SYS_newfstatat, dir, path, &now, 0))) return;
    WITH(dir, path, fd, slot, { slot->touched_ns = now_ns(), slot->toucher = machine, slot->old_time = now.st_mtim; });
}
int utimensat(int dir, const char *path, const struct timespec times[2], int flags) {
    touched(dir, path, -1);
    return REAL(utimensat)(dir, path, times, flags);
}

/* --- what is seen --- */

ssize_t read(int fd, void *data, size_t size) {
    off64_t at = table ? lseek64(fd, 0, SEEK_CUR) : -1;
    if (at >= 0) {
        int64_t end = size_seen(fd, INT64_MAX);
        if (end != INT64_MAX) size = at >= end ? 0 : size < (uint64_t)(end - at) ? size : (size_t)(end - at);
    }
    return REAL(read)(fd, data, size);
}
ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    int64_t end = size_seen(fd, INT64_MAX);
    if (end != INT64_MAX) size = at >= end ? 0 : size < (uint64_t)(end - at) ? size : (size_t)(end - at);
    return REAL(pread64)(fd, data, size, at);
}
#define BY_NAME(name, buffer, params, dir, expression) int name params { \
    if (is_hidden(dir, path, -1)) { errno = ENOENT; return -1; } \
    int result = (expression); \
    if (!result) WITH(dir, path, -1, slot, { \
        if (IS_LATE(slot, grown_ns, grower) && slot->old_size < out->st_size) out->st_size = slot->old_size; \
        if (IS_LATE(slot, touched_ns, toucher)) out->st_mtim = slot->old_time; }); \
    return result; }
BY_NAME(stat, stat, (const char *path, struct stat *out), AT_FDCWD, REAL(stat)(path, out))
BY_NAME(stat64, stat64, (const char *path, struct stat64 *out), AT_FDCWD, REAL(stat64)(path, out))
BY_NAME(lstat, stat, (const char *path, struct stat *out), AT_FDCWD, REAL(lstat)(path, out))
BY_NAME(lstat64, stat64, (const char *path, struct stat64 *out), AT_FDCWD, REAL(lstat64)(path, out))
BY_NAME(fstatat, stat, (int dir, const char *path, struct stat *out, int flags), dir, REAL(fstatat)(dir, path, out, flags))
BY_NAME(fstatat64, stat64, (int dir, const char *path, struct stat64 *out, int flags), dir, REAL(fstatat64)(dir, path, out, flags))
int fstat(int fd, struct stat *out) {
    int result = REAL(fstat)(fd, out);
    if (!result && S_ISREG(out->st_mode)) out->st_size = size_seen(fd, out->st_size);
    return result;
}
int fstat64(int fd, struct stat64 *out) {
    int result = REAL(fstat64)(fd, out);
    if (!result && S_ISREG(out->st_mode)) out->st_size = size_seen(fd, out->st_size);
    return result;
}
int access(const char *path, int how) {
    if (is_hidden(AT_FDCWD, path, -1)) { errno = ENOENT; return -1; }
    return REAL(access)(path, how);
}
#define ENTRY(name, entry) struct entry *name(DIR *open) { \
    struct entry *found; \
    while ((found = REAL(name)(open)) && table && is_hidden(dirfd(open), found->d_name, -1)); \
    return found; }
ENTRY(readdir, dirent)
ENTRY(readdir64, dirent64)
