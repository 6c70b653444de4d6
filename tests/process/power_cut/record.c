/*
 * What a process does to its files, in the order in which it did it: loaded with LD_PRELOAD, it adds every change of a file
 * or directory below RECORD_DIRECTORY, every sync of one, and the beginning of every HTTP answer to RECORD_JOURNAL, which lies
 * elsewhere. RECORD_KILL_AFTER=D3 ends the process once it has made its third directory, and so on for the other kinds that note() is
 * given. As long as a file RECORD_FAIL_SYNCS exists, no sync succeeds.
 *
 * One call at a time: what is recorded first has happened first, and an answer is recorded before it is sent. journal.rs reads what is
 * written here. What escapes (memory maps, system calls that are not made through libc) shows when the record is replayed: it
 * must give the directory as it is.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) \
    ({ \
        static __typeof__(&name) found; \
        if (!found) found = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        found; \
    })

struct head {
    uint32_t kind, first_bytes, second_bytes, data_bytes;
    uint64_t number;
};

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void begin(void)
{
    pthread_mutex_lock(&turn);
}

static void end(void)
{
    int kept = errno;
    pthread_mutex_unlock(&turn);
    errno = kept;
}

static void note(char kind, const char *first, const char *second, uint64_t number, const void *data, size_t bytes)
{
    static int journal = -1;
    int kept = errno;
    if (journal < 0) {
        const char *path = getenv("RECORD_JOURNAL");
        journal = path ? REAL(open)(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    }
    struct head head = { (uint32_t)kind, (uint32_t)strlen(first), (uint32_t)strlen(second), (uint32_t)bytes, number };
    struct iovec parts[] = {
        { &head, sizeof head }, { (void *)first, head.first_bytes }, { (void *)second, head.second_bytes }, { (void *)data, bytes },
    };
    static long times;
    const char *kill_after = getenv("RECORD_KILL_AFTER");
    if (REAL(writev)(journal, parts, 4) != (ssize_t)(sizeof head + head.first_bytes + head.second_bytes + bytes)) abort();
    if (kill_after && kill_after[0] == kind && ++times == atol(kill_after + 1)) raise(SIGKILL);
    errno = kept;
}

/* Whether `at`, which is absolute, lies below the directory; gives the rest of it. */
static const char *inside(const char *at)
{
    static const char *directory;
    static size_t bytes;
    if (!directory) {
        const char *set = getenv("RECORD_DIRECTORY");
        bytes = set ? strlen(set) : 0;
        directory = set ? set : "";
    }
    if (!bytes || strncmp(at, directory, bytes) || (at[bytes] && at[bytes] != '/')) return NULL;
    return at + bytes;
}

static const char *of_path(int base, const char *path, char *at)
{
    if (!path) return NULL;
    if (path[0] == '/') return inside(strncpy(at, path, PATH_MAX - 1));
    char link[64];
    snprintf(link, sizeof link, base == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", base);
    ssize_t bytes = readlink(link, at, PATH_MAX - 2);
    if (bytes < 0) return NULL;
    snprintf(at + bytes, PATH_MAX - bytes, "/%s", path);
    return inside(at);
}

/* Where an open file or directory is now. */
static const char *of_file(int file, char *at)
{
    struct stat is;
    if (fstat(file, &is) || !(S_ISREG(is.st_mode) || S_ISDIR(is.st_mode)) || !is.st_nlink) return NULL;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t bytes = readlink(link, at, PATH_MAX - 1);
    if (bytes < 0) return NULL;
    at[bytes] = 0;
    return inside(at);
}

/* Opening. */

static int open_any(int base, const char *path, int flags, mode_t mode)
{
    char buffer[PATH_MAX] = "";
    const char *at = flags & (O_CREAT | O_TRUNC) ? of_path(base, path, buffer) : NULL;
    if (!at) return REAL(openat)(base, path, flags, mode);
    begin();
    struct stat was;
    int is_new = fstatat(base, path, &was, 0) != 0;
    int file = REAL(openat)(base, path, flags, mode);
    if (file >= 0 && is_new) note('C', at, "", 0, "", 0);
    if (file >= 0 && !is_new && flags & O_TRUNC) note('T', at, "", 0, "", 0);
    end();
    return file;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if (flags & O_CREAT) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) { MODE_OF(flags) return open_any(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_any(AT_FDCWD, path, flags, mode); }
int openat(int base, const char *path, int flags, ...) { MODE_OF(flags) return open_any(base, path, flags, mode); }
int openat64(int base, const char *path, int flags, ...) { MODE_OF(flags) return open_any(base, path, flags, mode); }
int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* Answers. */

static void note_answer(int socket, const void *data, size_t bytes)
{
    unsigned status;
    char line[13] = "";
    if (bytes < 12) return;
    memcpy(line, data, 12);
    if (sscanf(line, "HTTP/1.1 %3u", &status) != 1) return;
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    if (getpeername(socket, (struct sockaddr *)&peer, &length) || peer.sin_family != AF_INET) return;
    begin();
    note('A', "", "", (uint64_t)ntohs(peer.sin_port) << 32 | status, "", 0);
    end();
}

ssize_t send(int socket, const void *data, size_t bytes, int flags)
{
    note_answer(socket, data, bytes);
    return REAL(send)(socket, data, bytes, flags);
}

ssize_t sendto(int socket, const void *data, size_t bytes, int flags, const struct sockaddr *to, socklen_t length)
{
    note_answer(socket, data, bytes);
    return REAL(sendto)(socket, data, bytes, flags, to, length);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
    if (message->msg_iovlen) note_answer(socket, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
    return REAL(sendmsg)(socket, message, flags);
}

/* Writing. */

static off_t here(int file)
{
    struct stat is;
    if (fcntl(file, F_GETFL) & O_APPEND && !fstat(file, &is)) return is.st_size;
    return lseek(file, 0, SEEK_CUR);
}

ssize_t write(int file, const void *data, size_t bytes)
{
    char buffer[PATH_MAX];
    const char *at = of_file(file, buffer);
    if (!at) {
        note_answer(file, data, bytes);
        return REAL(write)(file, data, bytes);
    }
    begin();
    off_t offset = here(file);
    ssize_t written = REAL(write)(file, data, bytes);
    if (written > 0) note('W', at, "", (uint64_t)offset, data, (size_t)written);
    end();
    return written;
}

ssize_t pwrite64(int file, const void *data, size_t bytes, off64_t offset)
{
    char buffer[PATH_MAX];
    const char *at = of_file(file, buffer);
    if (!at) return REAL(pwrite64)(file, data, bytes, offset);
    begin();
    ssize_t written = REAL(pwrite64)(file, data, bytes, offset);
    if (written > 0) note('W', at, "", (uint64_t)offset, data, (size_t)written);
    end();
    return written;
}

ssize_t pwrite(int file, const void *data, size_t bytes, off_t offset) { return pwrite64(file, data, bytes, offset); }

/* As many writes as there are parts. */
static ssize_t write_parts(int file, const struct iovec *parts, int count, off_t offset, int moves)
{
    char buffer[PATH_MAX];
    const char *at = of_file(file, buffer);
    if (!at) {
        if (moves && count > 0) note_answer(file, parts[0].iov_base, parts[0].iov_len);
        return moves ? REAL(writev)(file, parts, count) : REAL(pwritev64)(file, parts, count, offset);
    }
    begin();
    if (moves) offset = here(file);
    ssize_t written = moves ? REAL(writev)(file, parts, count) : REAL(pwritev64)(file, parts, count, offset);
    for (ssize_t part = 0, left = written; left > 0; part++) {
        size_t bytes = (size_t)left < parts[part].iov_len ? (size_t)left : parts[part].iov_len;
        if (bytes) note('W', at, "", (uint64_t)offset, parts[part].iov_base, bytes);
        offset += (off_t)bytes;
        left -= (ssize_t)bytes;
    }
    end();
    return written;
}

ssize_t writev(int file, const struct iovec *parts, int count) { return write_parts(file, parts, count, 0, 1); }
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) { return write_parts(file, parts, count, offset, 0); }
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) { return write_parts(file, parts, count, offset, 0); }

/* Whoever copies inside of the kernel is sent to where it can be seen. */

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t bytes, unsigned flags)
{
    char buffer[PATH_MAX];
    if (!of_file(to, buffer)) return REAL(copy_file_range)(from, from_at, to, to_at, bytes, flags);
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t bytes)
{
    char buffer[PATH_MAX];
    if (!of_file(to, buffer)) return REAL(sendfile64)(to, from, at, bytes);
    errno = ENOSYS;
    return -1;
}

ssize_t sendfile(int to, int from, off_t *at, size_t bytes) { return sendfile64(to, from, at, bytes); }

int ftruncate64(int file, off64_t length)
{
    char buffer[PATH_MAX];
    const char *at = of_file(file, buffer);
    if (!at) return REAL(ftruncate64)(file, length);
    begin();
    int result = REAL(ftruncate64)(file, length);
    if (!result) note('T', at, "", (uint64_t)length, "", 0);
    end();
    return result;
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

/* Syncing. */

static int sync_any(int file, int (*sync)(int))
{
    char buffer[PATH_MAX];
    const char *at = of_file(file, buffer);
    if (!at) return sync(file);
    begin();
    const char *fail = getenv("RECORD_FAIL_SYNCS");
    int result = -1;
    if (fail && !access(fail, F_OK)) {
        note('X', at, "", 0, "", 0);
        errno = EIO;
    } else {
        result = sync(file);
        if (!result) note('S', at, "", 0, "", 0);
    }
    end();
    return result;
}

int fsync(int file) { return sync_any(file, REAL(fsync)); }
int fdatasync(int file) { return sync_any(file, REAL(fdatasync)); }

/* Names. */

int mkdirat(int base, const char *path, mode_t mode)
{
    char buffer[PATH_MAX] = "";
    const char *at = of_path(base, path, buffer);
    if (!at) return REAL(mkdirat)(base, path, mode);
    begin();
    int result = REAL(mkdirat)(base, path, mode);
    if (!result) note('D', at, "", 0, "", 0);
    end();
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int unlinkat(int base, const char *path, int flags)
{
    char buffer[PATH_MAX] = "";
    const char *at = of_path(base, path, buffer);
    if (!at) return REAL(unlinkat)(base, path, flags);
    begin();
    int result = REAL(unlinkat)(base, path, flags);
    if (!result) note('U', at, "", 0, "", 0);
    end();
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int remove(const char *path)
{
    int result = unlink(path);
    return result && errno == EISDIR ? rmdir(path) : result;
}

int renameat2(int from_base, const char *from, int to_base, const char *to, unsigned flags)
{
    char from_buffer[PATH_MAX] = "", to_buffer[PATH_MAX] = "";
    const char *from_at = of_path(from_base, from, from_buffer), *to_at = of_path(to_base, to, to_buffer);
    if (!from_at || !to_at) return REAL(renameat2)(from_base, from, to_base, to, flags);
    begin();
    int result = REAL(renameat2)(from_base, from, to_base, to, flags);
    if (!result) note('R', from_at, to_at, 0, "", 0);
    end();
    return result;
}

int renameat(int from_base, const char *from, int to_base, const char *to) { return renameat2(from_base, from, to_base, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_base, const char *from, int to_base, const char *to, int flags)
{
    char from_buffer[PATH_MAX] = "", to_buffer[PATH_MAX] = "";
    const char *from_at = of_path(from_base, from, from_buffer), *to_at = of_path(to_base, to, to_buffer);
    if (!from_at || !to_at) return REAL(linkat)(from_base, from, to_base, to, flags);
    begin();
    int result = REAL(linkat)(from_base, from, to_base, to, flags);
    if (!result) note('L', from_at, to_at, 0, "", 0);
    end();
    return result;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
