/*
 * The machine's limits, one thread. Reads lines from stdin, answers each with one number.
 *   peak MS          GFLOP/s of multiply-adds on registers: fused or not, as the compiler was told (-ffp-contract=fast or off)
 *   read BYTES MS    GB/s of reading BYTES over and over
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef uint64_t words __attribute__((vector_size(4 * LANES)));

/* Processor time: what others on the machine take does not count. */
static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Fourteen independent sums hide the latency of a multiply and an add, and leave two of 16 registers for the factors. */
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#define SUMS 14
#define BLOCK 20000
#define LOOK_BYTES (4 << 20)

static volatile float keep;

static double peak(double ms) {
  vec x = {0}, y = {0};
  for (int i = 0; i < LANES; i++) x[i] = 0.999f, y[i] = 1e-3f + i * 1e-6f;
#define DECLARE(n) vec a##n = x * (1.0f + n);
  EACH(DECLARE)
  double start = now_ns(), elapsed, blocks = 0;
  do {
    for (int i = 0; i < BLOCK; i++) {
#define STEP(n) a##n = a##n * x + y;
      EACH(STEP)
    }
    blocks++;
    elapsed = now_ns() - start;
  } while (elapsed < ms * 1e6);
  vec sum = {0};
#define ADD(n) sum += a##n;
  EACH(ADD)
  keep = sum[0];
  return blocks * BLOCK * SUMS * LANES * 2.0 / elapsed;
}

static double read_rate(size_t bytes, double ms) {
  size_t block = sizeof(words) * 8;
  size_t count = (bytes + block - 1) / block;
  words *p = aligned_alloc(64, (count * block + 63) / 64 * 64);
  if (!p) return 0;
  memset(p, 1, count * block);
  words a0 = {0}, a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
  double passes = 0, start = now_ns(), elapsed;
  /* The clock is a call of the kernel: it is looked at after 4 MiB at least. */
  int repeat = count * block >= LOOK_BYTES ? 1 : (int)(LOOK_BYTES / (count * block));
  do {
    for (int r = 0; r < repeat; r++) {
      for (size_t i = 0; i < count * 8; i += 8) {
        a0 ^= p[i], a1 ^= p[i + 1], a2 ^= p[i + 2], a3 ^= p[i + 3];
        a4 ^= p[i + 4], a5 ^= p[i + 5], a6 ^= p[i + 6], a7 ^= p[i + 7];
      }
      __asm__ volatile("" ::: "memory");
    }
    passes += repeat;
    elapsed = now_ns() - start;
  } while (elapsed < ms * 1e6);
  a0 ^= a1 ^ a2 ^ a3 ^ a4 ^ a5 ^ a6 ^ a7;
  keep = (float)a0[0];
  free(p);
  return passes * count * block / elapsed;
}

int main(void) {
  char line[128];
  double ms;
  size_t bytes;
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "peak %lf", &ms) == 1) printf("%.3f\n", peak(ms));
    else if (sscanf(line, "read %zu %lf", &bytes, &ms) == 2) printf("%.3f\n", read_rate(bytes, ms));
    else printf("nan\n");
    fflush(stdout);
  }
  return 0;
}
