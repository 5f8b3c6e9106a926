// What ran when, on which thread, and for which lines of the program.
//
// Off, a place that would note something tests one flag. On, each thread has a
// list of events of its own; whoever stops the profile gets all of them. One
// profile runs at a time, in the whole process.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace fuseau::profile {

enum class Kind : uint8_t {
  kEvaluation,   // all work for values that were wanted
  kDirect,       // a small trace computed from its words
  kInterpreter,  // a trace computed by NumPy's loops
  kKernel,       // a compiled kernel
  kRoutine,      // a routine of the library
  kCopy,         // of buffers, and fills
  kWork,         // the part of a worker in one of these
  kWait,         // for a compile or for other ranks
  kCompile,      // a trace that becomes a plan
  kStage,        // a stage of that
  kExchange,     // bytes of this rank that go to others and come from them
  kSend,         // the bytes of an exchange for one rank, its number in `peer`
  kNumpy,        // a function that NumPy computes
  kMemory,       // bytes in use from then on
};
inline constexpr int kKindCount = static_cast<int>(Kind::kMemory) + 1;
// E.g. "kernel".
absl::string_view NameOf(Kind kind);

// What is counted by line and has no event.
enum class Tally : uint8_t {
  kElementRead,  // a single element that Python gets
  kIteration,    // a Python loop over an array
  kElementWrite,
};
inline constexpr int kTallyCount = static_cast<int>(Tally::kElementWrite) + 1;
absl::string_view NameOf(Tally tally);

namespace internal {
extern std::atomic<bool> on;
}  // namespace internal

inline bool On() {
  return __builtin_expect(internal::on.load(std::memory_order_relaxed), false);
}

// Nanoseconds of the steady clock, which all processes of a machine share.
int64_t Now();

struct Event {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t bytes = 0;    // moved at least; in use, for kMemory
  double flops = 0;     // an estimate, in additions
  uint64_t number = 0;  // of a run of all ranks, or of operations
  int32_t name = 0;     // of Intern
  int32_t lines = 0;    // that made the work: of LinesOf
  int32_t line = 0;     // that asked for it
  int32_t peer = -1;
  Kind kind = Kind::kKernel;
};

// A number for a text; 0 is the empty one. Only while a profile runs.
int32_t Intern(absl::string_view text);

// A number for a list of lines, each as often as it made an operation. Line 0
// is no line and is left out.
int32_t LinesOf(std::vector<int32_t> lines);

void Note(const Event& event);
void Count(Tally tally, int32_t line);

// An event from here to the end of the block, if a profile runs. While it
// lives, workers that help this thread note their part by its name.
class Scope {
 public:
  Scope(Kind kind, absl::string_view name) {
    if (On()) Begin(kind, name);
  }
  ~Scope() {
    if (__builtin_expect(noted_, false)) End();
  }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Whether the event is noted; then it may get more than times and a name.
  bool noted() const { return __builtin_expect(noted_, false); }
  Event& event() { return event_; }

 private:
  void Begin(Kind kind, absl::string_view name);
  void End();

  bool noted_ = false;
  uint64_t session_ = 0;  // the profile that it belongs to
  int32_t outer_name_ = 0;
  int32_t outer_lines_ = 0;
  Event event_;
};

// The name and the lines of the innermost Scope of this thread, for those who
// do a part of its work.
struct Current {
  int32_t name = 0;
  int32_t lines = 0;
};
Current CurrentOfThread();

// The part that a worker does: chunks of one launch that follow each other are
// one event. `work` tells launches apart.
void NoteWork(const Current& of, uint64_t work, int64_t begin, int64_t end);

// While it lives, the evaluation that this thread does has nodes that these
// lines recorded. Kernels compute some of the nodes.
class Evaluation {
 public:
  explicit Evaluation(absl::Span<const int32_t> node_lines);
  ~Evaluation();
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  // The lines of some nodes; of all of them if none is given or if they are
  // not those of this evaluation.
  static int32_t LinesOfNodes(absl::Span<const int32_t> nodes);

 private:
  const absl::Span<const int32_t> node_lines_;
  const Evaluation* const outer_;
  int32_t all_ = 0;
};

// While it lives, this thread computes another trace than that of its
// evaluation, such as the part of a rank: kernels have all lines then.
class OtherTrace {
 public:
  OtherTrace();
  ~OtherTrace();
  OtherTrace(const OtherTrace&) = delete;
  OtherTrace& operator=(const OtherTrace&) = delete;

 private:
  const bool outer_;
};

// What the events of this thread are shown under. The text stays for good.
void NameThread(const char* name);
// The rank whose work this thread does, where ranks are threads.
void SetRankOfThread(int rank);
int RankOfThread();

// A text as JSON writes it.
std::string Quoted(absl::string_view text);

// Forgets what an earlier profile left. At most FUSEAU_PROFILE_EVENTS events
// are kept; later ones are counted. False if one runs already.
bool Start();
// Stops it, and gives what this rank noted as one object of JSON; `lines` are
// the texts of the lines by number. Events are rows of numbers in the order of
// `columns`.
std::string Stop(absl::Span<const std::string> lines);

}  // namespace fuseau::profile
