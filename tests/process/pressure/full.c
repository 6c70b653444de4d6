/*
 * A disk that is full while a file FULL_FLAG exists: loaded with LD_PRELOAD, whatever would take room is refused with ENOSPC, each
 * second write after half of it was written. Reads, syncs, removals and what goes to sockets or standard error are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) \
    ({ \
        static __typeof__(&name) found; \
        if (!found) found = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        found; \
    })

static int is_full(void)
{
    static const char *flag;
    int kept = errno;
    if (!flag) flag = getenv("FULL_FLAG");
    int found = flag && access(flag, F_OK) == 0;
    errno = found ? ENOSPC : kept;
    return found;
}

static int takes_room(int file)
{
    struct stat it;
    int kept = errno;
    int is_file = file > 2 && fstat(file, &it) == 0 && S_ISREG(it.st_mode);
    errno = kept;
    return is_file && is_full();
}

/* How much of a write there is still room for. */
static size_t room(size_t bytes)
{
    static atomic_uint turn;
    return atomic_fetch_add(&turn, 1) % 2 ? bytes / 2 : 0;
}

#define WRITE(name, bytes, call, none) \
    if (!takes_room(file)) return REAL(name) call; \
    size_t left = room(bytes); \
    if (left == 0) return errno = ENOSPC, none; \
    bytes = left; \
    return REAL(name) call;

ssize_t write(int file, const void *data, size_t bytes) { WRITE(write, bytes, (file, data, bytes), -1) }
ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t offset) { WRITE(pwrite64, bytes, (file, data, bytes, offset), -1) }
ssize_t pwrite(int file, const void *data, size_t bytes, off_t offset) { return pwrite64(file, data, bytes, offset); }

ssize_t writev(int file, const struct iovec *parts, int count)
{
    return takes_room(file) ? -1 : REAL(writev)(file, parts, count);
}

static int grows(int file, off64_t length)
{
    struct stat it;
    return fstat(file, &it) == 0 && length > it.st_size && is_full();
}

int ftruncate64(int file, off64_t length) { return grows(file, length) ? -1 : REAL(ftruncate64)(file, length); }
int ftruncate(int file, off_t length) { return ftruncate64(file, length); }
int fallocate64(int file, int mode, off64_t offset, off64_t length) { return is_full() ? -1 : REAL(fallocate64)(file, mode, offset, length); }
int posix_fallocate64(int file, off64_t offset, off64_t length) { return is_full() ? ENOSPC : REAL(posix_fallocate64)(file, offset, length); }

static int open_any(const char *path, int flags, mode_t mode)
{
    if (flags & O_CREAT && access(path, F_OK) != 0 && is_full()) return -1;
    return REAL(open64)(path, flags, mode);
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if (flags & O_CREAT) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    }

int open(const char *path, int flags, ...) { MODE_OF(flags) return open_any(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_any(path, flags, mode); }
int mkdir(const char *path, mode_t mode) { return is_full() ? -1 : REAL(mkdir)(path, mode); }
int link(const char *from, const char *to) { return is_full() ? -1 : REAL(link)(from, to); }
