//go:build ignore

/*
 * A library for LD_PRELOAD that shifts the wall clock of one process tree.
 *
 * The file named by LATCHKEY_CLOCK_FILE holds an int64 of nanoseconds in host
 * byte order; it is mapped shared, so that writing it steps the clock of the
 * running browser. Monotonic clocks are left alone, as on a machine whose clock
 * is set wrong. Time is read by raw system calls: looking the real functions up
 * with dlsym allocates, and an allocator that asks for the time deadlocks then
 * (this is how libfaketime hangs Firefox).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static const volatile int64_t *shift;

__attribute__((constructor)) static void map_shift(void) {
	const char *name = getenv("LATCHKEY_CLOCK_FILE");
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *page = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		shift = page;
	close(fd);
}

static struct timespec plus(struct timespec t, int64_t ns) {
	int64_t sum = t.tv_nsec + ns % SECOND;
	t.tv_sec += ns / SECOND + (sum >= SECOND) - (sum < 0);
	t.tv_nsec = sum - SECOND * ((sum >= SECOND) - (sum < 0));
	return t;
}

int clock_gettime(clockid_t id, struct timespec *t) {
	int rc = syscall(SYS_clock_gettime, id, t);
	if (rc == 0 && shift && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		*t = plus(*t, *shift);
	return rc;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
	struct timespec t;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	tv->tv_sec = t.tv_sec;
	tv->tv_usec = t.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

/*
 * Absolute deadlines are computed from the shifted clock but awaited by the
 * kernel on the real one; untranslated, a positive shift waits that much too
 * long. Bit 1 of __wrefs is where glibc keeps a condition variable's clock.
 */
int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
                           const struct timespec *restrict deadline) {
	if (c->__data.__wrefs & 2)
		return pthread_cond_clockwait(c, m, CLOCK_MONOTONIC, deadline);
	struct timespec real = plus(*deadline, shift ? -*shift : 0);
	return pthread_cond_clockwait(c, m, CLOCK_REALTIME, &real);
}

int sem_timedwait(sem_t *restrict s, const struct timespec *restrict deadline) {
	struct timespec real = plus(*deadline, shift ? -*shift : 0);
	return sem_clockwait(s, CLOCK_REALTIME, &real);
}
