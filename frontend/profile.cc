#include "frontend/profile.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "frontend/evaluation_lock.h"
#include "frontend/graph.h"
#include "frontend/host.h"
#include "frontend/ranks.h"
#include "ir/trace_words.h"
#include "runtime/base/profile.h"
#include "runtime/base/status.h"

namespace fuseau {
namespace {

constexpr size_t kMaxGraphs = 200;

struct NotedGraph {
  std::vector<uint64_t> words;
  std::vector<int32_t> lines;
  int64_t runs = 0;
};

// By the hash of their words. Under the evaluation lock.
absl::flat_hash_map<uint64_t, NotedGraph>& Graphs() {
  static auto* const graphs = new absl::flat_hash_map<uint64_t, NotedGraph>;
  return *graphs;
}

// `lines` are the texts of the lines.
std::string TextOf(const NotedGraph& graph,
                   absl::Span<const std::string> lines) {
  const ir::Trace trace = ir::ReadTrace(graph.words);
  std::vector<std::string> nodes;
  for (size_t i = 0; i < trace.nodes.size(); ++i) {
    const ir::TraceNode& node = trace.nodes[i];
    std::vector<int32_t> inputs;
    for (const ir::TraceOperand& o : node.operands) inputs.push_back(o.value);
    const size_t line = i < graph.lines.size() ? graph.lines[i] : 0;
    nodes.push_back(absl::StrCat(
        "[\"", ir::RowOf(node.op).name, "\",\"", Name(node.dtype), "[",
        absl::StrJoin(node.shape, ", "), "]\",[", absl::StrJoin(inputs, ","),
        "],", profile::Quoted(line < lines.size() ? lines[line] : ""), "]"));
  }
  return absl::StrCat("{\"runs\":", graph.runs, ",\"nodes\":[",
                      absl::StrJoin(nodes, ","), "],\"outputs\":[",
                      absl::StrJoin(trace.outputs, ","), "]}");
}

std::string TakeGraphs(absl::Span<const std::string> lines) {
  std::vector<std::string> texts;
  for (const auto& [hash, graph] : Graphs()) {
    texts.push_back(TextOf(graph, lines));
  }
  Graphs().clear();
  return absl::StrCat("[", absl::StrJoin(texts, ","), "]");
}

}  // namespace

absl::Status StartProfile() {
  if (profile::On()) {
    return PythonError("RuntimeError", "a profile runs already");
  }
  const EvaluationLock lock;
  Graph& graph = Graph::Get();
  for (Node* n = graph.first_pending(); n != nullptr; n = n->next) n->line = 0;
  graph.line_of_program = evaluation_host.line;
  Graphs().clear();
  if (Ranks* const ranks = Ranks::active()) return ranks->StartProfile();
  profile::Start();
  return absl::OkStatus();
}

absl::StatusOr<Profiles> StopProfile() {
  if (!profile::On()) {
    return PythonError("RuntimeError", "no profile runs");
  }
  const EvaluationLock lock;
  Graph::Get().line_of_program = nullptr;
  std::vector<std::string> lines;
  if (evaluation_host.lines != nullptr) lines = evaluation_host.lines();
  Profiles profiles;
  profiles.graphs = TakeGraphs(lines);
  if (Ranks* const ranks = Ranks::active()) {
    absl::StatusOr<std::vector<std::string>> all = ranks->StopProfile(lines);
    // It is over, whatever became of the others.
    if (!all.ok()) profile::Stop(lines);
    FUSEAU_RETURN_IF_ERROR(all.status());
    profiles.ranks = *std::move(all);
  } else {
    profiles.ranks.push_back(
        absl::StrCat("{\"rank\":0,\"profile\":", profile::Stop(lines), "}"));
  }
  return profiles;
}

void NoteGraph(const Cone& cone, absl::Span<const int32_t> lines) {
  const ir::TraceWords words = cone.trace();
  const uint64_t hash = ir::HashWords(words);
  const auto found = Graphs().find(hash);
  if (found != Graphs().end()) {
    ++found->second.runs;
  } else if (Graphs().size() < kMaxGraphs) {
    Graphs().emplace(hash, NotedGraph{{words.begin(), words.end()},
                                      {lines.begin(), lines.end()},
                                      1});
  }
}

}  // namespace fuseau
