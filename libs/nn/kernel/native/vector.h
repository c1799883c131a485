/*
 * One vector of float32 of the instruction set that this file is compiled for. A lane is one hidden unit: all widths have the same bits.
 * Products and sums are plain operators, compiled with -ffp-contract=off; FUSED (opt-in, other bits) makes `mac` one fused operation.
 */
#ifndef TIDELINE_VECTOR_H
#define TIDELINE_VECTOR_H

#define INLINE static inline __attribute__((always_inline))
/* A function of its own, once: the compiler would copy it for every constant that it sees. */
#if defined(__clang__)
#define SEPARATE static __attribute__((noinline))
#else
#define SEPARATE static __attribute__((noinline, noclone))
#endif

/*
 * ROWS: rows of a batch that go together; ROWS_GRU for the 3 gates of a GRU; ROWS_NARROW for a block of one vector. So many sums hide the latency of an
 * addition (measured), and leave registers for weights and inputs.
 * `below(limit, x)` and `above(limit, x)` clamp x and keep its NaN: the x86 minimum is its second operand where a comparison is false.
 */
#if defined(__AVX512F__)
#include <immintrin.h>
#define LANES 16
#define ROWS 4
#define ROWS_GRU 4
typedef __m512 vector;
INLINE vector load(const float *at) { return _mm512_loadu_ps(at); }
INLINE void store(float *at, vector value) { _mm512_storeu_ps(at, value); }
INLINE vector splat(float value) { return _mm512_set1_ps(value); }
INLINE vector below(vector limit, vector x) { return _mm512_min_ps(limit, x); }
INLINE vector above(vector limit, vector x) { return _mm512_max_ps(limit, x); }
#ifdef FUSED
INLINE vector mac(vector sum, vector weight, vector value) { return _mm512_fmadd_ps(weight, value, sum); }
#endif

#elif defined(__AVX2__)
#include <immintrin.h>
#define LANES 8
/* 3 * 4 sums, 3 inputs and a weight are all 16 registers: clang loads more weights ahead and spills. */
#if defined(FUSED) && !defined(__clang__)
#define ROWS 3
#else
#define ROWS 2
#endif
#define ROWS_GRU 3
typedef __m256 vector;
INLINE vector load(const float *at) { return _mm256_loadu_ps(at); }
INLINE void store(float *at, vector value) { _mm256_storeu_ps(at, value); }
INLINE vector splat(float value) { return _mm256_set1_ps(value); }
INLINE vector below(vector limit, vector x) { return _mm256_min_ps(limit, x); }
INLINE vector above(vector limit, vector x) { return _mm256_max_ps(limit, x); }
#ifdef FUSED
INLINE vector mac(vector sum, vector weight, vector value) { return _mm256_fmadd_ps(weight, value, sum); }
#endif

#elif defined(__SSE2__)
#include <emmintrin.h>
#define LANES 4
#define ROWS 2
#define ROWS_GRU 3
typedef __m128 vector;
INLINE vector load(const float *at) { return _mm_loadu_ps(at); }
INLINE void store(float *at, vector value) { _mm_storeu_ps(at, value); }
INLINE vector splat(float value) { return _mm_set1_ps(value); }
INLINE vector below(vector limit, vector x) { return _mm_min_ps(limit, x); }
INLINE vector above(vector limit, vector x) { return _mm_max_ps(limit, x); }

#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#define LANES 4
#define ROWS 4
#define ROWS_GRU 4
typedef float32x4_t vector;
INLINE vector load(const float *at) { return vld1q_f32(at); }
INLINE void store(float *at, vector value) { vst1q_f32(at, value); }
INLINE vector splat(float value) { return vdupq_n_f32(value); }
/* FMIN and FMAX hand a NaN on, whichever operand it is. */
INLINE vector below(vector limit, vector x) { return vminq_f32(limit, x); }
INLINE vector above(vector limit, vector x) { return vmaxq_f32(limit, x); }
#ifdef FUSED
INLINE vector mac(vector sum, vector weight, vector value) { return vfmaq_f32(sum, weight, value); }
#endif

#else
#error "No vector is known for this processor: the WebAssembly kernel serves it."
#endif

/* Keeps a value in a register from here on, and what makes it in the order that is written: else chains that alternate are put one after the other. */
#if defined(__aarch64__)
#define IN_ORDER(value) __asm__("" : "+w"(value))
#elif defined(__AVX512F__)
#define IN_ORDER(value) __asm__("" : "+v"(value))
#else
#define IN_ORDER(value) __asm__("" : "+x"(value))
#endif

/* GCC reads a weight from memory again for each row, and loads are what runs short; clang does not, and its loops are worse for being told. */
#if defined(__clang__)
#define ONE_LOAD(weight)
#else
#define ONE_LOAD(weight) IN_ORDER(weight)
#endif

/* Two rounds of an innermost loop at once: counting takes slots of the processor that products need. */
#if defined(__clang__)
#define UNROLL_TWICE _Pragma("clang loop unroll_count(2)")
#else
#define UNROLL_TWICE _Pragma("GCC unroll 2")
#endif

#define ROWS_NARROW 8
#define ROWS_MAX 8

#ifndef FUSED
/* sum + weight * value, each rounded on its own, so that every machine has the same bits. */
INLINE vector mac(vector sum, vector weight, vector value) { return sum + weight * value; }
#endif

#endif
