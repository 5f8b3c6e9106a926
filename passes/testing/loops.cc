#include "passes/testing/loops.h"

#include <complex>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

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
  runtime::RegisterInnerLoop("add.dd->d", {AddFloats<double>, nullptr});
  runtime::RegisterInnerLoop("add.ff->f", {AddFloats<float>, nullptr});
  runtime::RegisterInnerLoop("add.DD->D",
                             {AddFloats<std::complex<double>>, nullptr});
}

}  // namespace fuseau::passes::testing
