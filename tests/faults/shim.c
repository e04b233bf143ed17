/* Faults under every write: loaded with LD_PRELOAD, below Python, SQLite, libgit2 and git alike.

   A step is a system call that creates, changes, renames, removes or locks a file below `root`; or, if
   `counts` says so, one that reads git's and gitmemo's files there, or looks for them.
   Steps are counted across all processes of a trial, in shared memory; at one of them something
   happens, and with `sticky` from then on to every step that it can happen to. Nothing else changes.
   The layout of `struct control` is repeated in control.py. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { NOTHING, ERROR, SHORT, KILL_BEFORE, KILL_AFTER, TORN, INTERRUPT_BEFORE, INTERRUPT_AFTER, CLOCK, STORM };
/* What an error can happen to for good: a full disk lets files go, locks fail on their own, and git tries
   for ever to list a folder that fails in the middle. */
enum family { GROWS = 1, CHANGES = 2, LOCKS = 4, READS = 8, OPENING = 16, LISTS = 32 };
#define LOOKS (READS | OPENING | LISTS)
enum counted { WRITES = 1, READING = 2 };
#define NAMES 8192
#define NAME 96

struct control {
    uint64_t steps, fired, at;
    int64_t clock_ns;
    int32_t armed, kind, error, sticky, families, group, counts;
    char root[256];
    char names[NAMES][NAME];
};

static struct control *control;

#define REAL(name) ({ static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name); real; })

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_CONTROL");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (at != MAP_FAILED) control = at;
}

static int link_of(const char *what, int fd, char *out, size_t size) {
    char link[64];
    if (fd < 0) snprintf(link, sizeof link, "/proc/self/%s", what);
    else snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, size - 1);
    if (n < 0) return 0;
    out[n] = 0;
    return 1;
}

/* Whether a file is below the root; its path from there goes to `out`. */
static int is_ours(int dir, const char *path, int fd, char *out) {
    char full[4096];
    size_t root = strlen(control->root);
    if (fd >= 0) {
        if (!link_of("", fd, full, sizeof full)) return 0;
    } else if (path && path[0] == '/') {
        snprintf(full, sizeof full, "%s", path);
    } else {
        if (!link_of("cwd", dir == AT_FDCWD ? -1 : dir, full, sizeof full - 1)) return 0;
        size_t n = strlen(full);
        snprintf(full + n, sizeof full - n, "/%s", path ? path : "");
    }
    if (strncmp(full, control->root, root) || full[root] != '/') return 0;
    snprintf(out, NAME - 12, "%s", full + root + 1);
    return 1;
}

/* Whether a file is read by gitmemo or git: what Python imports is none of these. */
static int is_kept(const char *below) {
    return !strncmp(below, "p/.git", 6) || !strncmp(below, "lab", 3) || !strncmp(below, "store-", 6);
}

static void signalled(int number) {
    if (number == SIGKILL && control->group) kill(0, SIGKILL);
    kill(control->group ? 0 : getpid(), number);
}

struct step { int fails, error, shortened, kills, interrupts; };

/* Whether a step of a storm fails, by chance: of a thousand about `at` do. Locks are left alone. */
static int is_hit(uint64_t n, int family) {
    uint64_t x = n * 0x9E3779B97F4A7C15u + (uint64_t)control->clock_ns;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    if (family & LOCKS || x % 1000 >= control->at) return 0;
    static const int errors[] = {ENOSPC, EIO, EACCES, 0};
    return 1 + errors[(x >> 32) % 4];
}

static struct step step_of(const char *call, int family, int dir, const char *path, int fd) {
    struct step step = {0, 0, 0, 0, 0};
    char below[NAME];
    int saved = errno;
    if (!control || !control->armed || !(control->counts & (family & LOOKS ? READING : WRITES))) return step;
    if (!is_ours(dir, path, fd, below) || (family & LOOKS && !is_kept(below))) { errno = saved; return step; }
    uint64_t n = __atomic_add_fetch(&control->steps, 1, __ATOMIC_SEQ_CST);
    if (n <= NAMES) snprintf(control->names[n - 1], NAME, "%.10s %.*s", call, NAME - 12, below);
    errno = saved;
    if (control->kind == STORM) {
        int hit = is_hit(n, family);
        if (!hit) return step;
        step.error = hit - 1;
        step.fails = step.error != 0;
        step.shortened = !step.fails;
        __atomic_add_fetch(&control->fired, 1, __ATOMIC_SEQ_CST);
        return step;
    }
    int is_it = n == control->at;
    int is_later = control->at && n > control->at && control->sticky;
    if (!is_it && !is_later) return step;
    if (is_later && !(family & control->families)) return step;
    switch (control->kind) {
    case ERROR:
        if (is_it && control->sticky && !(family & control->families)) return step;
        step.fails = 1, step.error = control->error;
        break;
    case SHORT: /* with an error: the disk was full behind that */
        step.shortened = is_it || !control->error;
        step.fails = is_later && control->error, step.error = control->error;
        break;
    case KILL_BEFORE: signalled(SIGKILL); break;
    case KILL_AFTER: step.kills = 1; break;
    case TORN: step.shortened = step.kills = 1; break;
    case INTERRUPT_BEFORE: if (is_it) signalled(SIGINT); break;
    case INTERRUPT_AFTER: step.interrupts = is_it; break;
    default: break;
    }
    __atomic_add_fetch(&control->fired, 1, __ATOMIC_SEQ_CST);
    return step;
}

static void after(struct step step) {
    int saved = errno;
    if (step.kills) signalled(SIGKILL);
    if (step.interrupts) signalled(SIGINT);
    errno = saved;
}

#define FAIL() do { errno = step.error; return -1; } while (0)
#define DO(family, dir, path, fd, call_name, expression) do { \
    struct step step = step_of(call_name, family, dir, path, fd); \
    if (step.fails) FAIL(); \
    __typeof__(expression) result = (expression); \
    after(step); \
    return result; } while (0)

/* --- opening --- */

#define OPENS(flags) ((flags) & (O_CREAT | O_TRUNC) ? GROWS | CHANGES : READS | OPENING)
#define NAMED(flags) (OPENS(flags) & READS ? "open r" : "open")
#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) {
    MODE(flags);
    DO(OPENS(flags), AT_FDCWD, path, -1, NAMED(flags), REAL(open)(path, flags, mode));
}
int open64(const char *path, int flags, ...) {
    MODE(flags);
    DO(OPENS(flags), AT_FDCWD, path, -1, NAMED(flags), REAL(open64)(path, flags, mode));
}
int openat(int dir, const char *path, int flags, ...) {
    MODE(flags);
    DO(OPENS(flags), dir, path, -1, NAMED(flags), REAL(openat)(dir, path, flags, mode));
}
int openat64(int dir, const char *path, int flags, ...) {
    MODE(flags);
    DO(OPENS(flags), dir, path, -1, NAMED(flags), REAL(openat64)(dir, path, flags, mode));
}
int creat(const char *path, mode_t mode) {
    DO(GROWS | CHANGES, AT_FDCWD, path, -1, "open", REAL(creat)(path, mode));
}
int creat64(const char *path, mode_t mode) {
    DO(GROWS | CHANGES, AT_FDCWD, path, -1, "open", REAL(creat64)(path, mode));
}
#define FOPEN(name) FILE *name(const char *path, const char *how) { \
    int family = how[0] == 'r' ? READS | OPENING : GROWS | CHANGES; \
    struct step step = step_of(family & READS ? "open r" : "open", family, AT_FDCWD, path, -1); \
    if (step.fails) { errno = step.error; return NULL; } \
    FILE *file = REAL(name)(path, how); after(step); return file; }
FOPEN(fopen)
FOPEN(fopen64)

/* --- writing --- */

#define WRITE(call_name, fd, size, whole, half) do { \
    struct step step = step_of(call_name, GROWS | CHANGES, AT_FDCWD, NULL, fd); \
    if (step.fails) FAIL(); \
    ssize_t result = (step.shortened && (size) > 1) ? (half) : (whole); \
    after(step); \
    return result; } while (0)

ssize_t write(int fd, const void *data, size_t size) {
    WRITE("write", fd, size, REAL(write)(fd, data, size), REAL(write)(fd, data, size / 2));
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    WRITE("write", fd, size, REAL(pwrite)(fd, data, size, at), REAL(pwrite)(fd, data, size / 2, at));
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    WRITE("write", fd, size, REAL(pwrite64)(fd, data, size, at), REAL(pwrite64)(fd, data, size / 2, at));
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    WRITE("write", fd, count, REAL(writev)(fd, parts, count), REAL(writev)(fd, parts, 1));
}
ssize_t sendfile(int out, int in, off_t *at, size_t size) {
    WRITE("write", out, size, REAL(sendfile)(out, in, at, size), REAL(sendfile)(out, in, at, size / 2));
}
ssize_t sendfile64(int out, int in, off64_t *at, size_t size) {
    WRITE("write", out, size, REAL(sendfile64)(out, in, at, size), REAL(sendfile64)(out, in, at, size / 2));
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    WRITE("write", out, size, REAL(copy_file_range)(in, from, out, to, size, flags),
          REAL(copy_file_range)(in, from, out, to, size / 2, flags));
}
int ftruncate(int fd, off_t size) { DO(CHANGES, AT_FDCWD, NULL, fd, "truncate", REAL(ftruncate)(fd, size)); }
int ftruncate64(int fd, off64_t size) { DO(CHANGES, AT_FDCWD, NULL, fd, "truncate", REAL(ftruncate64)(fd, size)); }
int truncate(const char *path, off_t size) { DO(CHANGES, AT_FDCWD, path, -1, "truncate", REAL(truncate)(path, size)); }
int truncate64(const char *path, off64_t size) { DO(CHANGES, AT_FDCWD, path, -1, "truncate", REAL(truncate64)(path, size)); }
int fsync(int fd) { DO(CHANGES, AT_FDCWD, NULL, fd, "fsync", REAL(fsync)(fd)); }
int fdatasync(int fd) { DO(CHANGES, AT_FDCWD, NULL, fd, "fsync", REAL(fdatasync)(fd)); }

/* Blocks that two files share. Where none can, as in memory, it fails all the same, behind the step. */
int ioctl(int fd, unsigned long request, ...) {
    va_list rest; va_start(rest, request); void *given = va_arg(rest, void *); va_end(rest);
    if (request != FICLONE) return REAL(ioctl)(fd, request, given);
    DO(GROWS | CHANGES, AT_FDCWD, NULL, fd, "clone", REAL(ioctl)(fd, request, given));
}

/* --- reading --- */

#define READ(fd, size, whole, half) do { \
    struct step step = step_of("read", READS, AT_FDCWD, NULL, fd); \
    if (step.fails) FAIL(); \
    ssize_t result = (step.shortened && (size) > 1) ? (half) : (whole); \
    after(step); \
    return result; } while (0)

ssize_t read(int fd, void *data, size_t size) {
    READ(fd, size, REAL(read)(fd, data, size), REAL(read)(fd, data, size / 2));
}
ssize_t pread(int fd, void *data, size_t size, off_t at) {
    READ(fd, size, REAL(pread)(fd, data, size, at), REAL(pread)(fd, data, size / 2, at));
}
ssize_t pread64(int fd, void *data, size_t size, off64_t at) {
    READ(fd, size, REAL(pread64)(fd, data, size, at), REAL(pread64)(fd, data, size / 2, at));
}
#define MAP(name, off) void *name(void *at, size_t size, int how, int flags, int fd, off offset) { \
    struct step step = {0, 0, 0, 0, 0}; \
    if (fd >= 0) step = step_of("mmap", READS, AT_FDCWD, NULL, fd); \
    if (step.fails) { errno = step.error; return MAP_FAILED; } \
    return REAL(name)(at, size, how, flags, fd, offset); }
MAP(mmap, off_t)
MAP(mmap64, off64_t)
DIR *opendir(const char *path) {
    struct step step = step_of("list", READS | OPENING, AT_FDCWD, path, -1);
    if (step.fails) { errno = step.error; return NULL; }
    return REAL(opendir)(path);
}
DIR *fdopendir(int fd) {
    struct step step = step_of("list", READS | OPENING, AT_FDCWD, NULL, fd);
    if (step.fails) { errno = step.error; return NULL; }
    return REAL(fdopendir)(fd);
}
#define ENTRY(name, entry) struct entry *name(DIR *open) { \
    struct step step = step_of("list on", LISTS, AT_FDCWD, NULL, dirfd(open)); \
    if (step.fails) { errno = step.error; return NULL; } \
    return REAL(name)(open); }
ENTRY(readdir, dirent)
ENTRY(readdir64, dirent64)
#define STAT(name, buffer) int name(const char *path, struct buffer *out) { \
    DO(READS, AT_FDCWD, path, -1, "stat", REAL(name)(path, out)); }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)
int fstatat(int dir, const char *path, struct stat *out, int flags) {
    DO(READS, dir, path, -1, "stat", REAL(fstatat)(dir, path, out, flags));
}
int fstatat64(int dir, const char *path, struct stat64 *out, int flags) {
    DO(READS, dir, path, -1, "stat", REAL(fstatat64)(dir, path, out, flags));
}
int fstat(int fd, struct stat *out) { DO(READS, AT_FDCWD, NULL, fd, "stat", REAL(fstat)(fd, out)); }
int fstat64(int fd, struct stat64 *out) { DO(READS, AT_FDCWD, NULL, fd, "stat", REAL(fstat64)(fd, out)); }

/* --- names --- */

int rename(const char *from, const char *to) {
    DO(CHANGES, AT_FDCWD, to, -1, "rename", REAL(rename)(from, to));
}
int renameat(int a, const char *from, int b, const char *to) {
    DO(CHANGES, b, to, -1, "rename", REAL(renameat)(a, from, b, to));
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    DO(CHANGES, b, to, -1, "rename", REAL(renameat2)(a, from, b, to, flags));
}
int link(const char *from, const char *to) {
    DO(GROWS | CHANGES, AT_FDCWD, to, -1, "link", REAL(link)(from, to));
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    DO(GROWS | CHANGES, b, to, -1, "link", REAL(linkat)(a, from, b, to, flags));
}
int symlink(const char *from, const char *to) {
    DO(GROWS | CHANGES, AT_FDCWD, to, -1, "link", REAL(symlink)(from, to));
}
int unlink(const char *path) { DO(CHANGES, AT_FDCWD, path, -1, "unlink", REAL(unlink)(path)); }
int unlinkat(int dir, const char *path, int flags) {
    DO(CHANGES, dir, path, -1, "unlink", REAL(unlinkat)(dir, path, flags));
}
int remove(const char *path) { DO(CHANGES, AT_FDCWD, path, -1, "unlink", REAL(remove)(path)); }
int rmdir(const char *path) { DO(CHANGES, AT_FDCWD, path, -1, "rmdir", REAL(rmdir)(path)); }
int mkdir(const char *path, mode_t mode) {
    DO(GROWS | CHANGES, AT_FDCWD, path, -1, "mkdir", REAL(mkdir)(path, mode));
}
int mkdirat(int dir, const char *path, mode_t mode) {
    DO(GROWS | CHANGES, dir, path, -1, "mkdir", REAL(mkdirat)(dir, path, mode));
}
int chmod(const char *path, mode_t mode) { DO(CHANGES, AT_FDCWD, path, -1, "chmod", REAL(chmod)(path, mode)); }
int fchmod(int fd, mode_t mode) { DO(CHANGES, AT_FDCWD, NULL, fd, "chmod", REAL(fchmod)(fd, mode)); }
int utimensat(int dir, const char *path, const struct timespec times[2], int flags) {
    DO(CHANGES, dir, path, -1, "utime", REAL(utimensat)(dir, path, times, flags));
}
int futimens(int fd, const struct timespec times[2]) {
    DO(CHANGES, AT_FDCWD, NULL, fd, "utime", REAL(futimens)(fd, times));
}

/* --- locks --- */

int flock(int fd, int how) {
    if (how & LOCK_UN) return REAL(flock)(fd, how);
    DO(LOCKS, AT_FDCWD, NULL, fd, "flock", REAL(flock)(fd, how));
}
#define FCNTL(name) int name(int fd, int command, ...) { \
    va_list rest; va_start(rest, command); void *given = va_arg(rest, void *); va_end(rest); \
    if (command != F_SETLK && command != F_SETLKW) return REAL(name)(fd, command, given); \
    if (((struct flock *)given)->l_type == F_UNLCK) return REAL(name)(fd, command, given); \
    DO(LOCKS, AT_FDCWD, NULL, fd, "fcntl", REAL(name)(fd, command, given)); }
FCNTL(fcntl)
FCNTL(fcntl64)

/* --- clocks --- */

static int64_t jump(void) {
    if (!control || !control->armed || control->kind != CLOCK) return 0;
    return control->steps >= control->at ? control->clock_ns : 0;
}
int clock_gettime(clockid_t id, struct timespec *now) {
    int result = REAL(clock_gettime)(id, now);
    if (!result && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t ns = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + jump();
        now->tv_sec = ns / 1000000000, now->tv_nsec = ns % 1000000000;
    }
    return result;
}
int gettimeofday(struct timeval *now, void *zone) {
    int result = REAL(gettimeofday)(now, zone);
    if (!result) now->tv_sec += jump() / 1000000000;
    return result;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
