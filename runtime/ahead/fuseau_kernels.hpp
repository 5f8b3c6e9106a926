// What the C++ functions in generated headers take and throw. Needs C++17.
#ifndef FUSEAU_KERNELS_HPP_
#define FUSEAU_KERNELS_HPP_

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "fuseau_kernels.h"

namespace fuseau {

// `code` is one of the numbers of fuseau_kernels.h.
class Error : public std::runtime_error {
 public:
  Error(int error_code, const std::string& message)
      : std::runtime_error(message), code(error_code) {}
  int code;
};

// A dense array in C order that somebody else owns.
template <typename T, int Rank>
struct View {
  T* data = nullptr;
  std::array<std::int64_t, Rank> shape = {};

  View(T* elements, std::array<std::int64_t, Rank> sizes)
      : data(elements), shape(sizes) {}
  // Elements that can be written can be read.
  template <typename U, typename = std::enable_if_t<
                            std::is_convertible_v<U (*)[], T (*)[]>>>
  View(const View<U, Rank>& other) : data(other.data), shape(other.shape) {}
  // A vector, an array or a span: what has data() and size().
  template <typename Container,
            typename = std::enable_if_t<
                Rank == 1 &&
                std::is_convertible_v<
                    decltype(std::declval<Container&>().data()), T*>>>
  View(Container&& elements)
      : data(elements.data()),
        shape{static_cast<std::int64_t>(elements.size())} {}
  // One element.
  template <int R = Rank, typename = std::enable_if_t<R == 0>>
  View(T& element) : data(&element) {}
};

namespace internal {

inline void Check(int code) {
  if (code != FUSEAU_OK) throw Error(code, fuseau_kernels_message());
}

inline void CheckSize(const char* name, int axis, std::int64_t given,
                      std::int64_t expected) {
  if (given == expected) return;
  throw Error(FUSEAU_BAD_ARGUMENT,
              std::string(name) + " has " + std::to_string(given) +
                  " elements along axis " + std::to_string(axis) +
                  ", expected " + std::to_string(expected));
}

template <typename T, int Rank>
void CheckResult(fuseau_program* program, const std::int64_t* sizes, int result,
                 const char* name, const View<T, Rank>& given) {
  std::int64_t expected[Rank > 0 ? Rank : 1];
  Check(fuseau_kernels_result_shape(program, sizes, result, expected));
  for (int axis = 0; axis < Rank; ++axis) {
    CheckSize(name, axis, given.shape[static_cast<std::size_t>(axis)],
              expected[axis]);
  }
}

}  // namespace internal
}  // namespace fuseau

#endif  // FUSEAU_KERNELS_HPP_
