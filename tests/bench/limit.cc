// What the machine can do: the benchmark cases written by hand in C++, fused,
// vectorised and threaded, with NumPy's arithmetic (no contraction, no
// reassociation except in `sum` and the sum of `softmax`).
//
//   c++ -std=c++20 -O3 -march=native -ffp-contract=off limit.cc
//       -o limit -lmvec -lm -pthread
//   ./limit --threads 2 [case ...]
//
// Prints one JSON object a line: case, threads, milliseconds (of one step for
// the stencils, of one call for the rest), minimum, checksum.

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "simd.h"

namespace {

// Stores of outputs above this size go past the caches.
constexpr int64_t kStreamElements = int64_t{1} << 22;

// An array of doubles in huge pages, touched before the clock starts.
class Buffer {
 public:
  explicit Buffer(int64_t n, double fill = 0.0) : size_(n) {
    constexpr int64_t kPage = int64_t{2} << 20;
    bytes_ = (n * int64_t{sizeof(double)} + kPage - 1) / kPage * kPage;
    data_ = static_cast<double*>(std::aligned_alloc(kPage, bytes_));
    if (data_ == nullptr) std::abort();
    madvise(data_, bytes_, MADV_HUGEPAGE);
    std::fill(data_, data_ + bytes_ / int64_t{sizeof(double)}, fill);
  }
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  double* data() { return data_; }
  int64_t size() const { return size_; }

  // Uniform in [low, high), the same in every run.
  void Randomise(double low, double high, uint64_t seed) {
    uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
    for (int64_t i = 0; i < size_; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      data_[i] =
          low + (high - low) * static_cast<double>(state >> 11) * 0x1.0p-53;
    }
  }

 private:
  int64_t size_;
  int64_t bytes_;
  double* data_;
};

// Spins for a while, then lets other processes run.
template <typename Done>
void SpinUntil(const Done& done) {
  for (int spins = 0; !done(); ++spins) {
    if (spins < 2000) {
      _mm_pause();
    } else {
      std::this_thread::yield();
    }
  }
}

// Threads that run one function together. The caller is thread 0.
class Team {
 public:
  explicit Team(int threads) : threads_(threads) {
    for (int t = 1; t < threads; ++t) {
      workers_.emplace_back([this, t] { Work(t); });
    }
  }
  ~Team() {
    stop_ = true;
    generation_.fetch_add(1);
    for (std::thread& worker : workers_) worker.join();
  }

  int threads() const { return threads_; }

  void Run(const std::function<void(int)>& body) {
    body_ = &body;
    pending_.store(threads_ - 1);
    generation_.fetch_add(1);
    body(0);
    SpinUntil([this] { return pending_.load() == 0; });
  }

  // Waits until every thread of the running function is here.
  void Barrier() {
    if (threads_ == 1) return;
    const int phase = phase_.load();
    if (arrived_.fetch_add(1) + 1 == threads_) {
      arrived_.store(0);
      phase_.fetch_add(1);
    } else {
      SpinUntil([this, phase] { return phase_.load() != phase; });
    }
  }

  // The share of thread t of n items, in multiples of a vector.
  std::pair<int64_t, int64_t> Share(int64_t n, int t, int64_t unit) const {
    auto edge = [&](int64_t k) {
      return k == threads_ ? n : n * k / threads_ / unit * unit;
    };
    return {edge(t), edge(t + 1)};
  }

 private:
  void Work(int t) {
    for (int seen = 0;;) {
      SpinUntil([&] { return generation_.load() != seen; });
      seen = generation_.load();
      if (stop_) return;
      (*body_)(t);
      pending_.fetch_sub(1);
    }
  }

  int threads_;
  std::atomic<bool> stop_{false};
  std::atomic<int> generation_{0}, pending_{0}, arrived_{0}, phase_{0};
  const std::function<void(int)>* body_ = nullptr;
  std::vector<std::thread> workers_;
};

// ---- Stencil: center = 0.2 * (center + north + east + west + south) --------

// One row. Large grids are written past the caches, which saves reading the
// lines first; the head of the row up to an aligned address is then apart.
template <bool kStream>
void StencilRow(const double* north, const double* row, const double* south,
                double* out, int64_t n) {
  auto scalar = [&](int64_t j) {
    double v = row[j] + north[j] + row[j + 1] + row[j - 1] + south[j];
    out[j] = 0.2 * v;
  };
  const Vec weight = Splat(0.2);
  int64_t j = 1;
  if constexpr (kStream) {
    for (; reinterpret_cast<uintptr_t>(out + j) % sizeof(Vec) != 0; ++j) {
      scalar(j);
    }
  }
  for (; j + kLanes <= n + 1; j += kLanes) {
    Vec v = Load(row + j) + Load(north + j);
    v = v + Load(row + j + 1) + Load(row + j - 1) + Load(south + j);
    if constexpr (kStream) {
      Stream(out + j, weight * v);
    } else {
      Store(out + j, weight * v);
    }
  }
  for (; j <= n; ++j) scalar(j);
}

void HotPlate(Buffer& grid, int64_t n) {
  const int64_t w = n + 2;
  double* g = grid.data();
  std::fill(g, g + w * w, 0.0);
  for (int64_t i = 0; i < w; ++i) {
    g[i * w] = g[i * w + w - 1] = g[(w - 1) * w + i] = -273.15;
  }
  std::fill(g, g + w, 40.0);
}

// One fused sweep per step into a second grid; the two change places.
double StencilSwap(Team& team, Buffer& a, Buffer& b, int64_t n, int steps) {
  const int64_t w = n + 2;
  const auto sweep_row =
      w * w >= kStreamElements ? StencilRow<true> : StencilRow<false>;
  team.Run([&](int t) {
    double *from = a.data(), *to = b.data();
    const auto [lo, hi] = team.Share(n, t, 1);
    for (int s = 0; s < steps; ++s) {
      for (int64_t i = lo + 1; i <= hi; ++i) {
        const double* row = from + i * w;
        sweep_row(row - w, row, row + w, to + i * w, n);
      }
      _mm_sfence();
      team.Barrier();
      std::swap(from, to);
    }
  });
  return a.data()[w + w / 2];
}

// One fused sweep per step in the same grid. The old values of the row above
// and of the row itself live in two small buffers per thread; the rows at the
// edges of a thread's part are saved before any thread begins.
double StencilInPlace(Team& team, Buffer& a, int64_t n, int steps) {
  const int64_t w = n + 2;
  std::vector<std::vector<double>> saved(4 * team.threads(),
                                         std::vector<double>(w));
  team.Run([&](int t) {
    double* grid = a.data();
    const auto [lo, hi] = team.Share(n, t, 1);
    double* above = saved[4 * t].data();
    double* here = saved[4 * t + 1].data();
    double* below = saved[4 * t + 2].data();
    for (int s = 0; s < steps; ++s) {
      std::copy_n(grid + lo * w, w, above);
      std::copy_n(grid + (hi + 1) * w, w, below);
      team.Barrier();
      for (int64_t i = lo + 1; i <= hi; ++i) {
        double* row = grid + i * w;
        std::copy_n(row, w, here);
        StencilRow<false>(above, here, i == hi ? below : row + w, row, n);
        std::swap(above, here);
      }
      team.Barrier();
    }
  });
  return a.data()[w + w / 2];
}

// ---- Elementwise ------------------------------------------------------------

// Computes out[i] = f(i) with threads, past the caches when out is large.
// `f` takes an index and gives the vector that begins there. Sizes here are
// multiples of 8, so that there is no tail.
template <typename F>
void Map(Team& team, double* out, int64_t n, F f) {
  team.Run([&](int t) {
    const auto [lo, hi] = team.Share(n, t, kLanes);
    if (n >= kStreamElements) {
      for (int64_t i = lo; i < hi; i += kLanes) Stream(out + i, f(i));
      _mm_sfence();
    } else {
      for (int64_t i = lo; i < hi; i += kLanes) Store(out + i, f(i));
    }
  });
}

double Chain(Team& team, Buffer& a, Buffer& b, Buffer& out) {
  const double *x = a.data(), *y = b.data();
  Map(team, out.data(), a.size(), [&](int64_t i) {
    const Vec p = Load(x + i), q = Load(y + i);
    return Sqrt(p * p + q * q) * Splat(2.5) - p / (q + Splat(3.0)) + (p - q);
  });
  return out.data()[a.size() / 2];
}

double Triad(Team& team, Buffer& a, Buffer& b, Buffer& out) {
  const double *x = a.data(), *y = b.data();
  Map(team, out.data(), a.size(),
      [&](int64_t i) { return Load(x + i) + Splat(3.0) * Load(y + i); });
  return out.data()[a.size() / 2];
}

Vec NormalCdf(Vec d) {
  const Vec one = Splat(1.0);
  const Vec k = one / (one + Splat(0.2316419) * Abs(d));
  Vec poly = Splat(-1.821255978) + k * Splat(1.330274429);
  poly = Splat(1.781477937) + k * poly;
  poly = Splat(-0.356563782) + k * poly;
  poly = k * (Splat(0.319381530) + k * poly);
  const Vec tail = Splat(0.3989422804014327) * Exp(Splat(-0.5) * d * d) * poly;
  return SelectPositive(d, one - tail, tail);
}

double BlackScholes(Team& team, Buffer& spots, Buffer& strikes, Buffer& years,
                    Buffer& calls, Buffer& puts) {
  const double rate = 0.02, volatility = 0.30;
  const double drift = rate + 0.5 * volatility * volatility;
  const Vec one = Splat(1.0);
  double* put = puts.data();
  Map(team, calls.data(), spots.size(), [&](int64_t i) {
    const Vec spot = Load(spots.data() + i), strike = Load(strikes.data() + i);
    const Vec time = Load(years.data() + i);
    const Vec root = Splat(volatility) * Sqrt(time);
    const Vec d1 = (Log(spot / strike) + Splat(drift) * time) / root;
    const Vec d2 = d1 - root;
    const Vec cdf1 = NormalCdf(d1), cdf2 = NormalCdf(d2);
    const Vec discounted = strike * Exp(Splat(-rate) * time);
    Store(put + i, discounted * (one - cdf2) - spot * (one - cdf1));
    return spot * cdf1 - discounted * cdf2;
  });
  return calls.data()[7] + puts.data()[7];
}

// ---- Reductions -------------------------------------------------------------

double HorizontalSum(Vec v) {
  double lanes[kLanes], sum = 0.0;
  Store(lanes, v);
  for (double x : lanes) sum += x;
  return sum;
}

double Sum(Team& team, Buffer& a) {
  std::vector<double> partial(team.threads() * 16);
  team.Run([&](int t) {
    const auto [lo, hi] = team.Share(a.size(), t, 4 * kLanes);
    const double* p = a.data();
    Vec s[4] = {Splat(0), Splat(0), Splat(0), Splat(0)};
    int64_t i = lo;
    for (; i + 4 * kLanes <= hi; i += 4 * kLanes) {
      for (int k = 0; k < 4; ++k) s[k] = s[k] + Load(p + i + k * kLanes);
    }
    double sum = HorizontalSum((s[0] + s[1]) + (s[2] + s[3]));
    for (; i < hi; ++i) sum += p[i];
    partial[t * 16] = sum;
  });
  double sum = 0.0;
  for (int t = 0; t < team.threads(); ++t) sum += partial[t * 16];
  return sum;
}

double Softmax(Team& team, Buffer& a, Buffer& out, int64_t rows,
               int64_t columns) {
  team.Run([&](int t) {
    const auto [lo, hi] = team.Share(rows, t, 1);
    for (int64_t r = lo; r < hi; ++r) {
      const double* x = a.data() + r * columns;
      double* y = out.data() + r * columns;
      Vec top = Load(x);
      for (int64_t j = kLanes; j < columns; j += kLanes) {
        top = Max(top, Load(x + j));
      }
      double lanes[kLanes];
      Store(lanes, top);
      const Vec largest = Splat(*std::max_element(lanes, lanes + kLanes));
      Vec sum = Splat(0.0);
      for (int64_t j = 0; j < columns; j += kLanes) {
        const Vec e = Exp(Load(x + j) - largest);
        Store(y + j, e);
        sum = sum + e;
      }
      const Vec total = Splat(HorizontalSum(sum));
      for (int64_t j = 0; j < columns; j += kLanes) {
        Store(y + j, Load(y + j) / total);
      }
    }
  });
  return out.data()[rows * columns / 2];
}

// ---- Timing -----------------------------------------------------------------

double Seconds(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  const auto end = std::chrono::steady_clock::now();
  return std::chrono::duration<double>(end - start).count();
}

struct Options {
  int threads = 1;
  int rounds = 7;
  std::vector<std::string> cases;

  bool Wants(const std::string& name) const {
    return cases.empty() ||
           std::find(cases.begin(), cases.end(), name) != cases.end();
  }
};

// Runs `call`, which does `units` units of work, and prints the time of one.
void Report(const Options& options, const std::string& name, int units,
            const std::function<double()>& call) {
  const double checksum = call();
  const double once = Seconds(call);
  const int calls = std::max(1, static_cast<int>(0.05 / once));
  std::vector<double> times;
  for (int r = 0; r < options.rounds; ++r) {
    const double all = Seconds([&] {
      for (int c = 0; c < calls; ++c) call();
    });
    times.push_back(1e3 * all / calls / units);
  }
  std::sort(times.begin(), times.end());
  std::printf(
      "{\"case\": \"%s\", \"threads\": %d, \"ms\": %.6f, \"min_ms\": %.6f, "
      "\"checksum\": %.17g}\n",
      name.c_str(), options.threads, times[times.size() / 2], times[0],
      checksum);
  std::fflush(stdout);
}

void RunStencils(const Options& options, Team& team) {
  for (const auto& [n, steps] : {std::pair{1000, 100}, std::pair{4000, 20}}) {
    const std::string size = std::to_string(n);
    const int64_t cells = int64_t{n + 2} * (n + 2);
    if (options.Wants("stencil_swap/" + size)) {
      Buffer a(cells), b(cells);
      HotPlate(b, n);  // its boundary stays
      Report(options, "stencil_swap/" + size, steps, [&] {
        HotPlate(a, n);
        return StencilSwap(team, a, b, n, steps);
      });
    }
    if (options.Wants("stencil_in_place/" + size)) {
      Buffer a(cells);
      Report(options, "stencil_in_place/" + size, steps, [&] {
        HotPlate(a, n);
        return StencilInPlace(team, a, n, steps);
      });
    }
  }
}

void RunElementwise(const Options& options, Team& team) {
  for (const auto& [label, n] :
       {std::pair{"1e5", 100000}, std::pair{"1e6", 1000000},
        std::pair{"1e7", 10000000}}) {
    const std::string size = label;
    Buffer a(n), b(n), out(n);
    a.Randomise(0.1, 2.0, 1);
    b.Randomise(0.1, 2.0, 2);
    if (options.Wants("chain/" + size)) {
      Report(options, "chain/" + size, 1,
             [&] { return Chain(team, a, b, out); });
    }
    if (n >= 1000000 && options.Wants("triad/" + size)) {
      Report(options, "triad/" + size, 1,
             [&] { return Triad(team, a, b, out); });
    }
    if (n >= 1000000 && options.Wants("sum/" + size)) {
      Report(options, "sum/" + size, 1, [&] { return Sum(team, a); });
    }
  }
  if (options.Wants("black_scholes/1e6")) {
    constexpr int64_t kOptions = 1000000;
    Buffer spot(kOptions), strike(kOptions), years(kOptions);
    Buffer call(kOptions), put(kOptions);
    spot.Randomise(5.0, 30.0, 3);
    strike.Randomise(1.0, 100.0, 4);
    years.Randomise(0.25, 10.0, 5);
    Report(options, "black_scholes/1e6", 1,
           [&] { return BlackScholes(team, spot, strike, years, call, put); });
  }
  if (options.Wants("softmax/2000x1000-f64")) {
    Buffer a(2000 * 1000), out(2000 * 1000);
    a.Randomise(-3.0, 3.0, 6);
    Report(options, "softmax/2000x1000-f64", 1,
           [&] { return Softmax(team, a, out, 2000, 1000); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--threads" && i + 1 < argc) {
      options.threads = std::max(1, std::atoi(argv[++i]));
    } else if (argument == "--rounds" && i + 1 < argc) {
      options.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (argument.rfind("--", 0) == 0) {
      std::fprintf(stderr, "usage: limit [--threads N] [--rounds N] [case]\n");
      return 2;
    } else {
      options.cases.push_back(argument);
    }
  }
  Team team(options.threads);
  RunStencils(options, team);
  RunElementwise(options, team);
  return 0;
}
