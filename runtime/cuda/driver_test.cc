#include "runtime/cuda/driver.h"

#include <string>

#include "gtest/gtest.h"
#include "runtime/cuda/testing/double.h"

namespace fuseau::runtime::cuda {
namespace {

std::string Sentence(const std::string& library) {
  const auto driver = Driver::Load(library);
  EXPECT_FALSE(driver.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(driver.status()));
  return std::string(driver.status().message());
}

TEST(DriverTest, EachThingThatIsMissingIsOneSentence) {
  EXPECT_EQ(Sentence("libthere-is-none.so.1"),
            "there is no NVIDIA driver (libthere-is-none.so.1: cannot open "
            "shared object file: No such file or directory)");
  EXPECT_EQ(Sentence("libm.so.6"),
            "the NVIDIA driver (libm.so.6) is too old: CUDA 13.0 or newer is "
            "needed");
  EXPECT_EQ(Sentence(FUSEAU_STUB),
            std::string(FUSEAU_STUB) +
                " is the stub of the CUDA toolkit, not a driver");
}

TEST(DriverTest, NoDeviceOldDriverBrokenDriver) {
  testing::Double d(FUSEAU_DOUBLE);
  d.Set("DEVICES", "0");
  EXPECT_EQ(Sentence(FUSEAU_DOUBLE), "the NVIDIA driver finds no device");
  d.Set("DEVICES", "1");
  d.Set("FAIL", "cuInit:1:100");
  EXPECT_EQ(Sentence(FUSEAU_DOUBLE), "the NVIDIA driver finds no device");
  d.Set("FAIL", "cuInit:1:34");
  EXPECT_EQ(Sentence(FUSEAU_DOUBLE),
            std::string(FUSEAU_DOUBLE) +
                " is the stub of the CUDA toolkit, not a driver");
  d.Set("VERSION", "12040");
  EXPECT_EQ(Sentence(FUSEAU_DOUBLE),
            "the NVIDIA driver is too old: it supports CUDA 12.4, and 13.0 or "
            "newer is needed");
  d.Set("VERSION", "13000");
  d.Set("FAIL", "cuDeviceGetCount:1:719");
  EXPECT_EQ(Sentence(FUSEAU_DOUBLE),
            "the GPU's driver: cuDeviceGetCount gives CUDA_ERROR_LAUNCH_FAILED "
            "(719)");
}

TEST(DriverTest, LoadsWhatIsThere) {
  testing::Double d(FUSEAU_DOUBLE);
  d.Set("DEVICES", "2");
  const auto driver = Driver::Load(FUSEAU_DOUBLE);
  ASSERT_TRUE(driver.ok()) << driver.status();
  EXPECT_EQ((*driver)->version, 13000);
  EXPECT_EQ((*driver)->devices, 2);
}

TEST(DriverTest, OutOfMemoryIsAStatusOfItsOwn) {
  testing::Double d(FUSEAU_DOUBLE);
  EXPECT_TRUE(absl::IsResourceExhausted(
      d.driver().StatusOf(CUDA_ERROR_OUT_OF_MEMORY, "cuMemAlloc")));
}

TEST(DriverTest, AFailedStartLeavesNothing) {
  for (const char* function :
       {"cuDeviceGet", "cuDeviceGetName", "cuDeviceTotalMem",
        "cuDeviceGetAttribute", "cuDevicePrimaryCtxRetain", "cuCtxSetCurrent",
        "cuStreamCreate", "cuEventCreate"}) {
    testing::Double d(FUSEAU_DOUBLE);
    d.Set("FAIL", std::string(function) + ":1");
    EXPECT_FALSE(d.Open().ok()) << function;
    EXPECT_EQ(d.Live(), "") << function;
    EXPECT_TRUE(d.Open().ok()) << function;
    EXPECT_EQ(d.Live(), "") << function;
  }
}

}  // namespace
}  // namespace fuseau::runtime::cuda
