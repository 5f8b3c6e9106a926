/* A C program that steps a heat equation: heat.h and heat.o come from
 * `fuseau compile kernels.py:heat --arg "f64[n,m]" --arg f64`. */
#include "heat.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  const int64_t n = argc > 1 ? atoll(argv[1]) : 6;
  const int64_t m = argc > 2 ? atoll(argv[2]) : 8;
  double* grid = calloc((size_t)(n * m), sizeof(double));
  double change = 0;
  if (grid == NULL) return 1;
  for (int64_t i = 0; i < n * m; ++i) grid[i] = (double)(i * i % 101) / 7;

  if (heat(n, m, grid, 0.1, &change) != FUSEAU_OK) {
    fprintf(stderr, "heat: %s\n", fuseau_kernels_message());
    return 1;
  }
  /* Every bit of a double is in its %a form. */
  printf("%a\n", change);
  for (int64_t i = 0; i < n * m; ++i) printf("%a\n", grid[i]);
  free(grid);
  return 0;
}
