/* tanh and sigmoid with the operations of ../assembly/activations.ts, one after the other, for several vectors at once. */
#ifndef TIDELINE_ACTIVATIONS_H
#define TIDELINE_ACTIVATIONS_H

#include "vector.h"

#define CLAMP 7.90531110763549805f
/* Vectors that go together. A tanh is one long chain; the processor looks ahead over about 100 operations, so the chains of several alternate here. */
#define CHAINS 8

/* v = tanh(v) for `count` vectors, at most CHAINS. A NaN stays a NaN. */
INLINE void tanh_of(vector *v, const int count) {
  static const float P[] = {-2.76076847742355e-16f, 2.00018790482477e-13f, -8.60467152213735e-11f, 5.12229709037114e-8f,
                            1.48572235717979e-5f,   6.37261928875436e-4f,  4.89352455891786e-3f};
  static const float Q[] = {1.19825839466702e-6f, 1.18534705686654e-4f, 2.268434632439e-3f, 4.89352518554385e-3f};
  vector s[CHAINS], p[CHAINS], q[CHAINS];
  for (int i = 0; i < count; i += 1) {
    v[i] = above(splat(-CLAMP), below(splat(CLAMP), v[i]));
    s[i] = v[i] * v[i];
    p[i] = splat(P[0]);
    q[i] = splat(Q[0]);
  }
  for (int k = 1; k < 7; k += 1)
    for (int i = 0; i < count; i += 1) {
      p[i] = mac(splat(P[k]), s[i], p[i]);
      IN_ORDER(p[i]);
    }
  for (int i = 0; i < count; i += 1) v[i] = v[i] * p[i];
  for (int k = 1; k < 4; k += 1)
    for (int i = 0; i < count; i += 1) {
      q[i] = mac(splat(Q[k]), s[i], q[i]);
      IN_ORDER(q[i]);
    }
  for (int i = 0; i < count; i += 1) v[i] = v[i] / q[i];
}

/* sigmoid(x) = 0.5 + 0.5 tanh(x / 2): halve x, take its tanh with others, open the gate. */
INLINE vector half(vector x) { return x * splat(0.5f); }
INLINE vector opened(vector tanh_of_half) { return mac(splat(0.5f), splat(0.5f), tanh_of_half); }

#endif
