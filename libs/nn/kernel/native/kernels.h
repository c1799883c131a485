/* One kernel an instruction set: kernel.c, compiled again for each of them. */
#ifndef TIDELINE_KERNELS_H
#define TIDELINE_KERNELS_H

#include <stdint.h>

struct kernel {
  const char *name;
  uint32_t lanes;
  /* One step of the program's rows 0..n-1; n steps of its first slot. `base` is where the memory begins, `program` an address in it. */
  void (*step)(char *base, uint32_t program, uint32_t n);
  void (*run)(char *base, uint32_t program, uint32_t n);
};

#if defined(__x86_64__)
extern const struct kernel kernel_avx512, kernel_avx512_fused, kernel_avx2, kernel_avx2_fused, kernel_sse2;
#elif defined(__aarch64__)
extern const struct kernel kernel_neon, kernel_neon_fused;
#endif

#endif
