/* Programs that `fuseau compile` made, for C and C++. What a generated header
 * declares calls these functions; a program may call them itself.
 *
 * Link with libfuseau_kernels_runtime.a and -lstdc++ -lm -lpthread. No Python
 * and no compiler is needed where the program runs.
 */
#ifndef FUSEAU_KERNELS_H_
#define FUSEAU_KERNELS_H_

#include <stdint.h>

/* Elements of NumPy's types complex64 and complex128. */
#ifdef __cplusplus
#include <complex>
typedef std::complex<float> fuseau_complex64;
typedef std::complex<double> fuseau_complex128;
extern "C" {
#else
typedef float _Complex fuseau_complex64;
typedef double _Complex fuseau_complex128;
#endif

/* Shared libraries show these functions. */
#define FUSEAU_KERNELS_API __attribute__((visibility("default")))

/* What the functions return. */
enum {
  FUSEAU_OK = 0,
  FUSEAU_BAD_ARGUMENT = 1, /* sizes, null addresses, overlapping memory */
  FUSEAU_NO_MEMORY = 2,
  FUSEAU_WRONG_MACHINE = 3, /* the processor, or the library's version */
  FUSEAU_INTERNAL_ERROR = 4 /* a mistake of fuseau */
};

/* One compiled program; generated code defines it. */
typedef struct fuseau_program fuseau_program;

/* Runs a program. `sizes` has a number for each letter of its signature,
 * `arguments` and `results` an address each, of dense arrays in C order that
 * the caller owns. Any thread may call it. */
FUSEAU_KERNELS_API int fuseau_kernels_run(fuseau_program* program,
                                          const int64_t* sizes,
                                          void* const* arguments,
                                          void* const* results);

/* Writes the sizes of result number `result` to `shape`, one for each of its
 * dimensions. */
FUSEAU_KERNELS_API int fuseau_kernels_result_shape(fuseau_program* program,
                                                   const int64_t* sizes,
                                                   int result, int64_t* shape);

/* What was wrong in the last call of this thread that failed: one sentence that
 * says what was given and what was expected. Never null. */
FUSEAU_KERNELS_API const char* fuseau_kernels_message(void);

#ifdef __cplusplus
}
#endif

#endif /* FUSEAU_KERNELS_H_ */
