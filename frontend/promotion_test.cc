#include "frontend/promotion.h"

#include <cstring>

#include "gtest/gtest.h"

namespace fuseau {
namespace {

Operand PyInt(int64_t value) {
  Operand operand;
  operand.kind = kPyInt;
  std::memcpy(operand.scalar, &value, sizeof(value));
  return operand;
}

template <typename T>
T Convert(const Operand& operand, DType dtype) {
  char out[16];
  EXPECT_TRUE(ConvertScalar(operand, dtype, out).ok());
  T value;
  std::memcpy(&value, out, sizeof(value));
  return value;
}

TEST(CanCast, Safe) {
  EXPECT_TRUE(CanCast(DType::kInt64, DType::kFloat64, Casting::kSafe));
  EXPECT_FALSE(CanCast(DType::kInt32, DType::kFloat32, Casting::kSafe));
  EXPECT_TRUE(CanCast(DType::kUInt8, DType::kInt16, Casting::kSafe));
  EXPECT_FALSE(CanCast(DType::kUInt64, DType::kInt64, Casting::kSafe));
  EXPECT_FALSE(CanCast(DType::kFloat64, DType::kComplex64, Casting::kSafe));
}

TEST(CanCast, SameKindGoesDownButNotBack) {
  EXPECT_TRUE(CanCast(DType::kFloat64, DType::kFloat32, Casting::kSameKind));
  EXPECT_TRUE(CanCast(DType::kUInt64, DType::kInt8, Casting::kSameKind));
  EXPECT_FALSE(CanCast(DType::kInt8, DType::kUInt64, Casting::kSameKind));
  EXPECT_FALSE(CanCast(DType::kFloat32, DType::kInt64, Casting::kSameKind));
}

TEST(ConvertScalar, PythonIntsMustFit) {
  EXPECT_EQ(Convert<uint8_t>(PyInt(255), DType::kUInt8), 255);
  EXPECT_EQ(Convert<double>(PyInt(-3), DType::kFloat64), -3.0);
  char out[16];
  EXPECT_EQ(ConvertScalar(PyInt(300), DType::kUInt8, out).message(),
            "Python integer 300 out of bounds for uint8");
  EXPECT_EQ(ConvertScalar(PyInt(-1), DType::kUInt64, out).message(),
            "Python integer -1 out of bounds for uint64");
}

TEST(ConvertScalar, LargeUnsignedInts) {
  Operand operand = PyInt(-1);  // the bits of 2**64 - 1
  operand.is_uint64 = true;
  EXPECT_EQ(Convert<uint64_t>(operand, DType::kUInt64), UINT64_MAX);
  EXPECT_EQ(Convert<double>(operand, DType::kFloat64), 18446744073709551616.0);
  char out[16];
  EXPECT_FALSE(ConvertScalar(operand, DType::kInt64, out).ok());
}

TEST(LoopTable, AsksOnce) {
  LoopTable& table = LoopTable::Get();
  int asked = 0;
  table.SetResolvers(
      [&](OpCode, Kind, Kind) {
        ++asked;
        Loop loop;
        loop.state = Loop::kNative;
        return loop;
      },
      [](Kind, Kind) { return Loop(); });
  table.Find(OpCode::kFmod, kPyInt, kPyFloat);
  table.Find(OpCode::kFmod, kPyInt, kPyFloat);
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace fuseau
