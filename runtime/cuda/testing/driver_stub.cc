// What the CUDA toolkit ships for machines without a driver: it can be loaded,
// and that is all.
extern "C" __attribute__((visibility("default"))) int cuInit(unsigned) {
  return 34;
}
extern "C" __attribute__((visibility("default"))) int cuGetProcAddress_v2(
    const char*, void** address, int, unsigned long, int*) {
  *address = nullptr;
  return 500;
}
