#include "passes/testing/loops.h"

#include <algorithm>
#include <complex>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/inner_loops.h"

namespace fuseau::passes::testing {
namespace {

template <typename T>
T Load(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

template <typename T, typename F>
void Binary(char** args, const int64_t* n, const int64_t* steps, void*) {
  for (int64_t i = 0; i < *n; ++i) {
    const auto z =
        F()(Load<T>(args[0] + i * steps[0]), Load<T>(args[1] + i * steps[1]));
    std::memcpy(args[2] + i * steps[2], &z, sizeof(z));
  }
}

struct Add {
  template <typename T>
  T operator()(T x, T y) {
    return static_cast<T>(x + y);
  }
};
struct Subtract {
  template <typename T>
  T operator()(T x, T y) {
    return static_cast<T>(x - y);
  }
};
struct Multiply {
  template <typename T>
  T operator()(T x, T y) {
    return static_cast<T>(x * y);
  }
};
struct Maximum {
  template <typename T>
  T operator()(T x, T y) {
    return x > y ? x : y;
  }
};
struct Minimum {
  template <typename T>
  T operator()(T x, T y) {
    return x < y ? x : y;
  }
};
struct Or {
  template <typename T>
  bool operator()(T x, T y) {
    return x != T{} || y != T{};
  }
};
struct And {
  template <typename T>
  bool operator()(T x, T y) {
    return x != T{} && y != T{};
  }
};
struct Less {
  template <typename T>
  bool operator()(T x, T y) {
    return x < y;
  }
};

// NumPy's rule for the sum of a run. `n` counts the numbers of one part.
template <typename T>
T Pairwise(const char* p, int64_t n, int64_t step) {
  const auto at = [&](int64_t i) { return Load<T>(p + i * step); };
  if constexpr (std::is_floating_point_v<T>) {
    if (n < 8) {
      T sum = -T{0};
      for (int64_t i = 0; i < n; ++i) sum += at(i);
      return sum;
    }
    if (n <= 128) {
      T r[8];
      for (int k = 0; k < 8; ++k) r[k] = at(k);
      int64_t i = 8;
      for (; i < n - n % 8; i += 8)
        for (int k = 0; k < 8; ++k) r[k] += at(i + k);
      T sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
      for (; i < n; ++i) sum += at(i);
      return sum;
    }
    const int64_t half = n / 2 - n / 2 % 8;
    return Pairwise<T>(p, half, step) +
           Pairwise<T>(p + half * step, n - half, step);
  } else {
    using Part = typename T::value_type;
    if (2 * n < 8) {
      T sum(-Part{0}, -Part{0});
      for (int64_t i = 0; i < n; ++i) sum += at(i);
      return sum;
    }
    if (2 * n <= 128) {
      T r[4];
      for (int k = 0; k < 4; ++k) r[k] = at(k);
      int64_t i = 4;
      for (; i < n - n % 4; i += 4)
        for (int k = 0; k < 4; ++k) r[k] += at(i + k);
      T sum = (r[0] + r[1]) + (r[2] + r[3]);
      for (; i < n; ++i) sum += at(i);
      return sum;
    }
    const int64_t half = (n - n % 8) / 2;
    return Pairwise<T>(p, half, step) +
           Pairwise<T>(p + half * step, n - half, step);
  }
}

// As NumPy's: a call that adds a run to one element sums it pairwise.
template <typename T>
void AddFloats(char** args, const int64_t* n, const int64_t* steps, void* d) {
  if (args[0] != args[2] || steps[0] != 0 || steps[2] != 0)
    return Binary<T, Add>(args, n, steps, d);
  const T sum = Load<T>(args[0]) + Pairwise<T>(args[1], *n, steps[1]);
  std::memcpy(args[2], &sum, sizeof(sum));
}

// In the order of NumPy: complex numbers by their real part first.
template <typename T>
bool IsLess(T x, T y) {
  if constexpr (std::is_arithmetic_v<T>) {
    return x < y;
  } else {
    return x.real() < y.real() || (x.real() == y.real() && x.imag() < y.imag());
  }
}

// Lines that lie dense, as the routines call these.
template <typename T, bool kMax>
void PlaceOfExtreme(char** args, const int64_t* n, const int64_t*, void*) {
  const auto at = [&](int64_t i) { return Load<T>(args[0] + i * sizeof(T)); };
  int64_t place = 0;
  for (int64_t i = 1; i < *n; ++i) {
    if (kMax ? IsLess(at(place), at(i)) : IsLess(at(i), at(place))) place = i;
  }
  std::memcpy(args[1], &place, sizeof(place));
}
template <typename T>
void StableArgsort(char** args, const int64_t* n, const int64_t*, void*) {
  const T* line = reinterpret_cast<const T*>(args[0]);
  int64_t* places = reinterpret_cast<int64_t*>(args[1]);
  std::sort(places, places + *n, [line](int64_t i, int64_t j) {
    return IsLess(line[i], line[j]) || (!IsLess(line[j], line[i]) && i < j);
  });
}
template <typename T>
void StableSort(char** args, const int64_t* n, const int64_t* steps, void* d) {
  T* line = reinterpret_cast<T*>(args[0]);
  std::vector<int64_t> places(*n);
  std::iota(places.begin(), places.end(), 0);
  char* lines[] = {args[0], reinterpret_cast<char*>(places.data())};
  StableArgsort<T>(lines, n, steps, d);
  std::unique_ptr<T[]> sorted(new T[*n]);
  for (int64_t i = 0; i < *n; ++i) sorted[i] = line[places[i]];
  std::copy_n(sorted.get(), *n, line);
}

// One product of m x k and k x n; NumPy's loop takes a number of them.
template <typename T>
void Product(char** args, const int64_t* sizes, const int64_t* steps, void*) {
  const int64_t m = sizes[1], k = sizes[2], n = sizes[3];
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      T sum{};
      for (int64_t p = 0; p < k; ++p) {
        sum += Load<T>(args[0] + i * steps[3] + p * steps[4]) *
               Load<T>(args[1] + p * steps[5] + j * steps[6]);
      }
      std::memcpy(args[2] + i * steps[7] + j * steps[8], &sum, sizeof(T));
    }
  }
}

// A sum for each element of the result, as it is defined.
void Transform(char** args, const int64_t* sizes, const int64_t* steps, void*) {
  using Complex = std::complex<double>;
  const int64_t in = sizes[1], out = sizes[2];
  const auto factor = Load<double>(args[1]);
  for (int64_t k = 0; k < out; ++k) {
    Complex sum = 0;
    for (int64_t i = 0; i < in; ++i) {
      const double turn = -2 * 3.141592653589793 * static_cast<double>(k * i) /
                          static_cast<double>(out);
      sum += Load<Complex>(args[0] + i * steps[3]) * std::polar(1.0, turn);
    }
    sum *= factor;
    std::memcpy(args[2] + k * steps[4], &sum, sizeof(sum));
  }
}

template <typename T>
void RegisterLines(char type) {
  const std::string types(2, type);
  const auto add = [&](const char* name, char result, auto fn) {
    runtime::RegisterInnerLoop(std::string(name) + "." + types + "->" + result,
                               {fn, nullptr});
  };
  add("argmax", 'l', PlaceOfExtreme<T, true>);
  add("argmin", 'l', PlaceOfExtreme<T, false>);
  add("stable_sort", type, StableSort<T>);
  add("stable_argsort", 'l', StableArgsort<T>);
}

template <typename T, typename F>
void Register(const std::string& name, char type, char result) {
  const std::string types(2, type);
  runtime::RegisterInnerLoop(name + "." + types + "->" + result,
                             {Binary<T, F>, nullptr});
}

template <typename T>
void RegisterArithmetic(char type) {
  Register<T, Add>("add", type, type);
  Register<T, Multiply>("multiply", type, type);
  Register<T, Subtract>("subtract", type, type);
  Register<T, Or>("logical_or", type, '?');
  Register<T, And>("logical_and", type, '?');
  RegisterLines<T>(type);
}

template <typename T>
void RegisterOrder(char type) {
  Register<T, Maximum>("maximum", type, type);
  Register<T, Minimum>("minimum", type, type);
  Register<T, Less>("less", type, '?');
}

}  // namespace

void RegisterLoops() {
  RegisterArithmetic<double>('d');
  RegisterArithmetic<float>('f');
  RegisterArithmetic<std::complex<double>>('D');
  RegisterArithmetic<int64_t>('l');
  RegisterArithmetic<int8_t>('b');
  RegisterOrder<double>('d');
  RegisterOrder<float>('f');
  RegisterOrder<int64_t>('l');
  RegisterOrder<int8_t>('b');
  Register<bool, Or>("logical_or", '?', '?');
  Register<bool, And>("logical_and", '?', '?');
  RegisterLines<bool>('?');
  runtime::RegisterInnerLoop("matmul.dd->d", {Product<double>, nullptr});
  runtime::RegisterInnerLoop("fft.Dd->D", {Transform, nullptr});
  runtime::RegisterInnerLoop("add.dd->d", {AddFloats<double>, nullptr});
  runtime::RegisterInnerLoop("add.ff->f", {AddFloats<float>, nullptr});
  runtime::RegisterInnerLoop("add.DD->D",
                             {AddFloats<std::complex<double>>, nullptr});
}

}  // namespace fuseau::passes::testing
