/*
 * The Node-API side: which kernels this processor can run, and a kernel over one WebAssembly memory.
 *
 * layout: number, of the programs that the kernels read (program.h).
 * kinds: { name, lanes }[], the widest vector first.
 * createKernel(kind: number, memory: WebAssembly.Memory): { step(program, n), run(program, n), attach() }
 *
 * A kernel keeps the address of the memory's buffer; `attach` reads it anew after the memory has grown. Bounds are the engine's: a call checks its types only.
 * There is no state outside of the kernels, so any number of threads may load this.
 */
#include <node_api.h>
#include <stdlib.h>

#include "kernels.h"
#include "program.h"

#define KINDS_MAX 8

/* What the three functions of a kernel share; freed when the last of them is collected. */
struct attached {
  const struct kernel *kernel;
  char *base;
  napi_ref memory;
  int functions;
};

static size_t kinds_of_processor(const struct kernel *kinds[KINDS_MAX]) {
  size_t count = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  /* These ask for the operating system's support too. */
  const int avx2 = __builtin_cpu_supports("avx2"), fma = __builtin_cpu_supports("fma");
  if (__builtin_cpu_supports("avx512f")) {
    kinds[count++] = &kernel_avx512;
    kinds[count++] = &kernel_avx512_fused;
  }
  if (avx2) kinds[count++] = &kernel_avx2;
  if (avx2 && fma) kinds[count++] = &kernel_avx2_fused;
  kinds[count++] = &kernel_sse2;
#elif defined(__aarch64__)
  kinds[count++] = &kernel_neon;
  kinds[count++] = &kernel_neon_fused;
#endif
  return count;
}

static napi_value refuse(napi_env env, const char *message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* The kernel and the arguments (program, n) of a call, or NULL with an exception. */
static struct attached *called(napi_env env, napi_callback_info call, uint32_t arguments[2]) {
  napi_value values[2];
  size_t count = 2;
  void *kernel = NULL;
  if (napi_get_cb_info(env, call, &count, values, NULL, &kernel) != napi_ok || count < 2 || napi_get_value_uint32(env, values[0], &arguments[0]) != napi_ok ||
      napi_get_value_uint32(env, values[1], &arguments[1]) != napi_ok) {
    refuse(env, "A kernel is called with a program's address and a count of rows.");
    return NULL;
  }
  return kernel;
}

static napi_value call_step(napi_env env, napi_callback_info call) {
  uint32_t arguments[2];
  const struct attached *attached = called(env, call, arguments);
  if (attached != NULL) attached->kernel->step(attached->base, arguments[0], arguments[1]);
  return NULL;
}

static napi_value call_run(napi_env env, napi_callback_info call) {
  uint32_t arguments[2];
  const struct attached *attached = called(env, call, arguments);
  if (attached != NULL) attached->kernel->run(attached->base, arguments[0], arguments[1]);
  return NULL;
}

static int attach(napi_env env, struct attached *attached) {
  napi_value memory, buffer;
  void *base = NULL;
  if (napi_get_reference_value(env, attached->memory, &memory) != napi_ok || napi_get_named_property(env, memory, "buffer", &buffer) != napi_ok ||
      napi_get_arraybuffer_info(env, buffer, &base, NULL) != napi_ok || base == NULL)
    return 0;
  attached->base = base;
  return 1;
}

static napi_value call_attach(napi_env env, napi_callback_info call) {
  void *attached = NULL;
  if (napi_get_cb_info(env, call, NULL, NULL, NULL, &attached) != napi_ok || !attach(env, attached)) return refuse(env, "The memory has no buffer.");
  return NULL;
}

static void release(napi_env env, void *at, void *hint) {
  struct attached *attached = at;
  (void)hint;
  attached->functions -= 1;
  if (attached->functions > 0) return;
  napi_delete_reference(env, attached->memory);
  free(attached);
}

/* Adds a function that keeps the kernel alive. */
static int add_function(napi_env env, napi_value to, const char *name, napi_callback callback, struct attached *attached) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, attached, &function) != napi_ok ||
      napi_add_finalizer(env, function, attached, release, NULL, NULL) != napi_ok)
    return 0;
  attached->functions += 1;
  return napi_set_named_property(env, to, name, function) == napi_ok;
}

static napi_value create_kernel(napi_env env, napi_callback_info call) {
  napi_value arguments[2], result;
  size_t count = 2;
  uint32_t kind;
  const struct kernel *kinds[KINDS_MAX];
  if (napi_get_cb_info(env, call, &count, arguments, NULL, NULL) != napi_ok || count < 2 || napi_get_value_uint32(env, arguments[0], &kind) != napi_ok ||
      kind >= kinds_of_processor(kinds))
    return refuse(env, "This processor has no kernel of that kind.");
  struct attached *attached = calloc(1, sizeof *attached);
  if (attached == NULL) return refuse(env, "There is no memory left for a kernel.");
  attached->kernel = kinds[kind];
  /* Until all functions stand, this call holds the kernel too. */
  attached->functions = 1;
  if (napi_create_reference(env, arguments[1], 1, &attached->memory) != napi_ok) {
    free(attached);
    return refuse(env, "A kernel works on a WebAssembly.Memory.");
  }
  const int made = attach(env, attached) && napi_create_object(env, &result) == napi_ok && add_function(env, result, "step", call_step, attached) &&
                   add_function(env, result, "run", call_run, attached) && add_function(env, result, "attach", call_attach, attached);
  release(env, attached, NULL);
  return made ? result : refuse(env, "A kernel works on a WebAssembly.Memory.");
}

static int add_kinds(napi_env env, napi_value exports) {
  const struct kernel *kinds[KINDS_MAX];
  const size_t count = kinds_of_processor(kinds);
  napi_value list;
  if (napi_create_array_with_length(env, count, &list) != napi_ok) return 0;
  for (size_t i = 0; i < count; i += 1) {
    napi_value kind, name, lanes;
    if (napi_create_object(env, &kind) != napi_ok || napi_create_string_utf8(env, kinds[i]->name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_uint32(env, kinds[i]->lanes, &lanes) != napi_ok || napi_set_named_property(env, kind, "name", name) != napi_ok ||
        napi_set_named_property(env, kind, "lanes", lanes) != napi_ok || napi_set_element(env, list, (uint32_t)i, kind) != napi_ok)
      return 0;
  }
  return napi_set_named_property(env, exports, "kinds", list) == napi_ok;
}

NAPI_MODULE_INIT() {
  napi_value create, layout;
  if (!add_kinds(env, exports) || napi_create_uint32(env, LAYOUT, &layout) != napi_ok || napi_set_named_property(env, exports, "layout", layout) != napi_ok ||
      napi_create_function(env, "createKernel", NAPI_AUTO_LENGTH, create_kernel, NULL, &create) != napi_ok ||
      napi_set_named_property(env, exports, "createKernel", create) != napi_ok)
    return NULL;
  return exports;
}
