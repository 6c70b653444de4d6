/*
 * A disk that takes its time to sync, for measurements on machines whose disk takes none: loaded with LD_PRELOAD, every
 * fsync and fdatasync of a process waits for the one before it and takes SYNC_MICROSECONDS longer than the real one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

static int sync_slowly(const char *name, int file)
{
    int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *microseconds = getenv("SYNC_MICROSECONDS");
    pthread_mutex_lock(&disk);
    usleep(microseconds ? (useconds_t)atoi(microseconds) : 0);
    int result = sync(file);
    pthread_mutex_unlock(&disk);
    return result;
}

int fsync(int file) { return sync_slowly("fsync", file); }
int fdatasync(int file) { return sync_slowly("fdatasync", file); }
