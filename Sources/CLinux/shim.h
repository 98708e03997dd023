// What the Glibc module leaves out: readiness of many sockets, the allocator's own figures, and a child that inherits no files.
#include <malloc.h>
#include <spawn.h>
#include <sys/epoll.h>

// In spawn.h for those who define _GNU_SOURCE, which the Glibc module does not.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
