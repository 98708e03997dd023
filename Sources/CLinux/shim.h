// What the Glibc module leaves out: readiness of many sockets, and the allocator's own figures.
#include <malloc.h>
#include <sys/epoll.h>
