#include "frontend/window.h"

#include "gtest/gtest.h"

namespace fuseau {
namespace {

// Records operations of these sizes and forgets them.
void Record(const std::vector<int64_t>& sizes) {
  Graph& graph = Graph::Get();
  for (int64_t size : sizes) {
    Node* node = graph.NewNode(OpCode::kIota, DType::kInt64, 1, 0);
    node->shape()[0] = size;
    node->bytes = 8 * size;
    graph.Commit(node);
    graph.Unref(node);
  }
}

TEST(Window, FindsTheShortestPeriod) {
  Record({901, 902, 903});
  for (int i = 0; i < 50; ++i) Record({1, 2, 3, 1, 2, 4});
  EXPECT_EQ(FindPeriod(Graph::Get(), 300), 6);
}

TEST(Window, NoPeriodWithoutEvidence) {
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < 100; ++i) sizes.push_back(1000 + i);
  Record(sizes);
  EXPECT_EQ(FindPeriod(Graph::Get(), 100), 0);
}

TEST(Window, FullWindowsHaveWholeRepetitions) {
  const Window before = window;
  window.operations = 200;
  for (int i = 0; i < 60; ++i) Record({5, 6, 7, 8, 9, 10, 11});
  BeginWindow(Graph::Get());
  EXPECT_EQ(window.next_cut - Graph::Get().recorded(), 196);
  EXPECT_TRUE(EndsHere(Graph::Get(), /*write=*/false));
  RestartWindow(Graph::Get());
  EXPECT_FALSE(EndsHere(Graph::Get(), /*write=*/false));
  EXPECT_TRUE(EndsHere(Graph::Get(), /*write=*/true));
  window = before;
}

TEST(Window, WhatAnEvaluationLeavesCounts) {
  const Window before = window;
  window.operations = 200;
  window.period = 0;
  Graph& graph = Graph::Get();
  std::vector<Node*> left;
  for (int i = 0; i < 150; ++i) {
    Node* node = graph.NewNode(OpCode::kIota, DType::kInt64, 1, 0);
    node->shape()[0] = i;
    graph.Commit(node);
    left.push_back(node);
  }
  RestartWindow(graph);
  EXPECT_EQ(window.next_cut - graph.recorded(), 50);
  window.period = 7;
  RestartWindow(graph);
  EXPECT_EQ(window.next_cut - graph.recorded(), 49);
  window.period = 90;  // longer than what is left
  RestartWindow(graph);
  EXPECT_EQ(window.next_cut - graph.recorded(), 50);
  window.operations = 0;  // each operation at once, this one included
  RestartWindow(graph);
  EXPECT_EQ(window.next_cut, graph.recorded());
  for (Node* node : left) graph.Unref(node);
  window = before;
}

}  // namespace
}  // namespace fuseau
