#include "runtime/buffer.h"

#include "runtime/arena.h"

namespace fuseau::runtime {
namespace {

class WrappedBuffer : public Buffer {
 public:
  WrappedBuffer(void* data, int64_t bytes, std::function<void()> release)
      : Buffer(static_cast<char*>(data), bytes, /*arena=*/nullptr,
               [](Buffer* b) { delete static_cast<WrappedBuffer*>(b); }),
        release_(std::move(release)) {}
  ~WrappedBuffer() {
    if (release_) release_();
  }

 private:
  std::function<void()> release_;
};

}  // namespace

BufferRef Buffer::Wrap(void* data, int64_t bytes,
                       std::function<void()> release) {
  return BufferRef::Adopt(new WrappedBuffer(data, bytes, std::move(release)));
}

void Buffer::Dispose() {
  if (destroy_ != nullptr) {
    destroy_(this);
  } else {
    arena_->Free(this);
  }
}

}  // namespace fuseau::runtime
