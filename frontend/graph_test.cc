#include "frontend/graph.h"

#include <cstring>

#include "gtest/gtest.h"

namespace fuseau {
namespace {

Graph& graph() { return Graph::Get(); }

// A pending node that reads `read`.
Node* Reader(Node* read, int64_t size = 4) {
  Node* node = graph().NewNode(OpCode::kCopy, DType::kFloat64, 1, 1);
  node->shape()[0] = size;
  node->strides(0)[0] = 8;
  node->bytes = 8 * size;
  graph().SetOperand(node, 0, read, 0, DType::kFloat64);
  graph().Commit(node);
  return node;
}

Node* Start(int64_t size = 4) {
  Node* node = graph().NewNode(OpCode::kIota, DType::kInt64, 1, 0);
  node->shape()[0] = size;
  node->bytes = 8 * size;
  graph().Commit(node);
  return node;
}

TEST(Graph, PendingNodesStandInRecordOrder) {
  NodeRef a = NodeRef::Adopt(Start());
  NodeRef b = NodeRef::Adopt(Reader(a.get()));
  NodeRef c = NodeRef::Adopt(Reader(a.get()));
  EXPECT_EQ(graph().first_pending(), a.get());
  EXPECT_EQ(a->next, b.get());
  EXPECT_EQ(b->next, c.get());
  b.reset();
  EXPECT_EQ(a->next, c.get());
  EXPECT_EQ(a->refs, 2u);
}

TEST(Graph, LongChainIsDroppedWithoutRecursion) {
  const int64_t before = graph().pending_count();
  Node* last = Start();
  for (int i = 0; i < 200'000; ++i) {
    Node* next = Reader(last);
    graph().Unref(last);
    last = next;
  }
  EXPECT_EQ(graph().pending_count(), before + 200'001);
  graph().Unref(last);
  EXPECT_EQ(graph().pending_count(), before);
}

TEST(Graph, BytesOfNamedPendingValuesAreCounted) {
  const int64_t before = graph().pending_bytes();
  BaseRef base = BaseRef::Adopt(graph().NewBase(Start(10)));
  EXPECT_EQ(graph().pending_bytes(), before + 80);
  graph().SetCurrent(base.get(), Reader(base->cur, 5));
  EXPECT_EQ(graph().pending_bytes(), before + 40);
  base.reset();
  EXPECT_EQ(graph().pending_bytes(), before);
}

TEST(Graph, ValueForgetsWhatItWasMadeFrom) {
  NodeRef a = NodeRef::Adopt(Start(1));
  NodeRef b = NodeRef::Adopt(Reader(a.get(), 1));
  char value[16] = {};
  const double number = 2.5;
  std::memcpy(value, &number, sizeof(number));
  graph().SetValue(b.get(), value);
  EXPECT_EQ(a->refs, 1u);
  EXPECT_FALSE(b->pending());
  EXPECT_EQ(std::memcmp(b->operands[0].scalar, value, 16), 0);
}

TEST(Graph, ManyDimensionsLiveOutsideOfTheNode) {
  NodeRef a = NodeRef::Adopt(Start());
  Node* node = graph().NewNode(OpCode::kCopy, DType::kFloat64, 9, 1);
  for (int d = 0; d < 9; ++d) node->shape()[d] = node->strides(0)[d] = d;
  node->bytes = 0;
  graph().SetOperand(node, 0, a.get(), 0, DType::kFloat64);
  graph().Commit(node);
  EXPECT_NE(node->dims, node->inline_dims);
  EXPECT_EQ(node->strides(0)[8], 8);
  graph().Unref(node);
  EXPECT_EQ(a->refs, 1u);
}

}  // namespace
}  // namespace fuseau
