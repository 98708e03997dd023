#ifndef SIGNALBOX_PREFETCH_H
#define SIGNALBOX_PREFETCH_H

/// Asks the processor for a cache line that is about to be used. Any address will do.
static inline void signalbox_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
