#include "runtime/kernel_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/cpu/digest.h"

namespace fuseau::runtime {
namespace {

namespace fs = std::filesystem;

class KernelStoreTest : public ::testing::Test {
 protected:
  KernelStoreTest() {
    std::string pattern =
        absl::StrCat(::testing::TempDir(), "/kernel_store_XXXXXX");
    root_ = mkdtemp(pattern.data());
    dir_ = absl::StrCat(root_, "/a/b");
  }
  ~KernelStoreTest() override { fs::remove_all(root_); }

  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(dir_)) {
      files.push_back(entry.path());
    }
    return files;
  }

  std::string root_;
  std::string dir_;
};

constexpr int64_t kCap = 1 << 20;

TEST_F(KernelStoreTest, KeepsObjectsByKey) {
  const std::string object("code\0code", 9);
  {
    KernelStore store(dir_, kCap, false);
    ASSERT_TRUE(store.enabled());
    EXPECT_EQ(store.Get("key"), std::nullopt);
    store.Put("key", object);
    store.Put("empty", "");
    EXPECT_EQ(store.Get("key"), object);
    EXPECT_EQ(store.Get("empty"), "");
    EXPECT_EQ(store.Get("kez"), std::nullopt);
    store.Put("key", "other");
    EXPECT_EQ(store.Get("key"), "other");
  }
  KernelStore again(dir_, kCap, true);
  EXPECT_EQ(again.Get("key"), "other");
  again.Put("new", "x");
  EXPECT_EQ(again.Get("new"), std::nullopt);
  EXPECT_EQ(Files().size(), 2u);
  struct stat info;
  ASSERT_EQ(stat(dir_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(KernelStoreTest, DamagedEntriesAreAbsent) {
  KernelStore store(dir_, kCap, false);
  const std::string object(1000, 'o');
  store.Put("key", object);
  const fs::path path = Files()[0];
  std::string whole;
  {
    std::ifstream in(path, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto write = [&](const std::string& bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << bytes;
    out.close();
    chmod(path.c_str(), 0600);
  };
  for (size_t i = 0; i < whole.size(); i += 1 + i / 20) {
    std::string flipped = whole;
    flipped[i] ^= 0x10;
    write(flipped);
    ASSERT_EQ(store.Get("key"), std::nullopt) << "byte " << i;
    ASSERT_FALSE(fs::exists(path));
    write(whole.substr(0, i));
    ASSERT_EQ(store.Get("key"), std::nullopt) << "cut at " << i;
  }
  write(whole + "x");
  EXPECT_EQ(store.Get("key"), std::nullopt);
  write(whole);
  EXPECT_EQ(store.Get("key"), object);
  // A whole entry of another key under this key's name.
  store.Put("another", "x");
  for (const fs::path& file : Files()) {
    if (file != path) fs::rename(file, path);
  }
  EXPECT_EQ(store.Get("key"), std::nullopt);
}

TEST_F(KernelStoreTest, OthersMustNotWriteToTheFolder) {
  fs::create_directories(dir_);
  chmod(dir_.c_str(), 0755);
  EXPECT_TRUE(KernelStore(dir_, kCap, false).enabled());
  EXPECT_TRUE(KernelStore(dir_, kCap, true).enabled());
  for (int mode : {0777, 0775}) {
    chmod(dir_.c_str(), mode);
    EXPECT_FALSE(KernelStore(dir_, kCap, false).enabled());
    EXPECT_FALSE(KernelStore(dir_, kCap, true).enabled());
  }
  chmod(dir_.c_str(), 0700);
  EXPECT_TRUE(KernelStore(dir_, kCap, false).enabled());
  if (geteuid() == 0) {
    ASSERT_EQ(chown(dir_.c_str(), 12345, 12345), 0);
    EXPECT_FALSE(KernelStore(dir_, kCap, false).enabled());
    EXPECT_FALSE(KernelStore(dir_, kCap, true).enabled());
  }
  KernelStore none("", kCap, false);
  EXPECT_FALSE(none.enabled());
  none.Put("k", "o");
  EXPECT_EQ(none.Get("k"), std::nullopt);
  // A folder that cannot be made.
  EXPECT_FALSE(KernelStore("/proc/none/such", kCap, false).enabled());
}

TEST_F(KernelStoreTest, OtherUsersFilesAndLinksAreNotRead) {
  KernelStore store(dir_, kCap, false);
  store.Put("key", "object");
  const fs::path path = Files()[0];
  const fs::path moved = fs::path(root_) / "moved";
  fs::rename(path, moved);
  fs::create_symlink(moved, path);
  EXPECT_EQ(store.Get("key"), std::nullopt);
  fs::remove(path);
  fs::rename(moved, path);
  EXPECT_EQ(store.Get("key"), "object");
  chmod(path.c_str(), 0666);
  EXPECT_EQ(store.Get("key"), std::nullopt);
}

TEST_F(KernelStoreTest, LeastRecentlyUsedEntriesGo) {
  const std::string object(1000, 'o');
  {
    KernelStore store(dir_, kCap, false);
    for (int i = 0; i < 20; ++i) store.Put(absl::StrCat("key", i), object);
    // All but one were used long ago.
    for (const fs::path& file : Files()) {
      timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
      utimensat(AT_FDCWD, file.c_str(), times, 0);
    }
    EXPECT_EQ(store.Get("key7"), object);
  }
  KernelStore small(dir_, 10'000, false);
  EXPECT_EQ(Files().size(), 20u) << "a process that only reads does not look";
  small.Put("key20", object);
  EXPECT_LE(Files().size(), 9u);
  EXPECT_GE(Files().size(), 7u);
  EXPECT_EQ(small.Get("key7"), object);
  for (int i = 0; i < 100; ++i) small.Put(absl::StrCat("new", i), object);
  int64_t total = 0;
  for (const fs::path& file : Files()) {
    total += static_cast<int64_t>(fs::file_size(file));
  }
  EXPECT_LE(total, 10'000);
  EXPECT_EQ(small.Get("new99"), object);
  small.Put("too large", std::string(20'000, 'x'));
  EXPECT_EQ(small.Get("too large"), std::nullopt);
}

TEST_F(KernelStoreTest, StaleTemporariesGo) {
  KernelStore(dir_, kCap, false).Put("key", "object");
  const fs::path old = fs::path(dir_) / "tmp-1-2-3";
  const fs::path fresh = fs::path(dir_) / "tmp-4-5-6";
  std::ofstream(old) << "half";
  std::ofstream(fresh) << "half";
  timespec times[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  utimensat(AT_FDCWD, old.c_str(), times, 0);
  KernelStore store(dir_, 1000, false);
  store.Put("other", std::string(100, 'o'));
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_EQ(store.Get("key"), "object");
}

// Each of many processes adds one entry.
TEST_F(KernelStoreTest, SmallWritersKeepTheCapTogether) {
  constexpr int64_t kBytes = 200'000;
  const std::string object(600, 'o');
  for (int i = 0; i < 3000; ++i) {
    KernelStore(dir_, kBytes, false).Put(absl::StrCat("key", i), object);
  }
  int64_t total = 0;
  for (const fs::path& file : Files()) {
    total += static_cast<int64_t>(fs::file_size(file));
  }
  EXPECT_LT(total, 4 * kBytes);
}

// The file size limit stands for a full disk.
TEST_F(KernelStoreTest, FullDiskCostsOnlyTheEntry) {
  KernelStore store(dir_, kCap, false);
  store.Put("key", "object");
  rlimit old;
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{100, old.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  store.Put("large", std::string(5000, 'x'));
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(store.Get("large"), std::nullopt);
  EXPECT_EQ(store.Get("key"), "object");
  EXPECT_EQ(Files().size(), 1u);
}

// Nobody ever writes to the pipe.
TEST_F(KernelStoreTest, APipeIsNotWaitedFor) {
  KernelStore store(dir_, kCap, false);
  store.Put("key", "object");
  const fs::path path = Files()[0];
  fs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  alarm(20);
  EXPECT_EQ(store.Get("key"), std::nullopt);
  alarm(0);
  store.Put("key", "object");
  EXPECT_EQ(store.Get("key"), "object");
}

TEST_F(KernelStoreTest, FolderMayVanish) {
  KernelStore store(dir_, kCap, false);
  store.Put("key", "object");
  fs::remove_all(dir_);
  store.Put("other", "object");
  EXPECT_EQ(store.Get("key"), std::nullopt);
}

std::string ObjectOf(int key) {
  return std::string(2000 + 37 * key, static_cast<char>('a' + key));
}

// What a reader gets is whole, whoever writes and dies meanwhile.
TEST_F(KernelStoreTest, ProcessesShareAFolderAndMayBeKilled) {
  constexpr int kKeys = 12;
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(30);
      KernelStore store(dir_, 20'000, false);
      for (int n = 0;; ++n) {
        store.Put(absl::StrCat("key", n % kKeys), ObjectOf(n % kKeys));
      }
    }
    children.push_back(child);
  }
  KernelStore store(dir_, 20'000, false);
  int found = 0;
  const std::time_t end = std::time(nullptr) + 20;
  for (int n = 0; (n < 3000 || found < 100) && std::time(nullptr) < end; ++n) {
    const std::optional<std::string> object =
        store.Get(absl::StrCat("key", n % kKeys));
    if (!object.has_value()) continue;
    ++found;
    ASSERT_EQ(*object, ObjectOf(n % kKeys));
  }
  EXPECT_GE(found, 100);
  for (pid_t child : children) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  for (int k = 0; k < kKeys; ++k) {
    const std::optional<std::string> object = store.Get(absl::StrCat("key", k));
    if (object.has_value()) EXPECT_EQ(*object, ObjectOf(k));
  }
}

TEST_F(KernelStoreTest, ThreadsShareAStore) {
  KernelStore store(dir_, 20'000, false);
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < 150; ++n) {
        const int k = (n + t) % 9;
        store.Put(absl::StrCat("key", k), ObjectOf(k));
        const auto object = store.Get(absl::StrCat("key", k));
        if (object.has_value() && *object != ObjectOf(k)) bad.fetch_add(1);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(bad.load(), 0);
}

TEST(DigestTest, PiecesAndBytesCount) {
  const Digest a = DigestOf({"ab", "c"});
  EXPECT_EQ(a, DigestOf({"ab", "c"}));
  EXPECT_FALSE(a == DigestOf({"a", "bc"}));
  EXPECT_FALSE(a == DigestOf({"abc"}));
  EXPECT_FALSE(DigestOf({""}) == DigestOf({absl::string_view("\0", 1)}));
  // The same on every machine: names of files depend on it.
  EXPECT_EQ(DigestOf({"fuseau"}).Hex(), DigestOf({"fuseau"}).Hex());
  EXPECT_EQ(DigestOf({"fuseau"}).Hex().size(), 32u);
}

}  // namespace
}  // namespace fuseau::runtime
