#include "runtime/cuda/device.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/arena.h"
#include "runtime/base/status.h"
#include "runtime/stats.h"

namespace fuseau::runtime::cuda {
namespace {

// More needs to be asked for, kernel by kernel.
constexpr uint32_t kUsualSharedBytes = 48 << 10;
// Beyond so many loaded kernels those go that no plan has any more.
constexpr size_t kMaxKernels = 1024;

}  // namespace

class Device::Copy final : public DeviceCopy {
 public:
  Copy(Device* device, Pool::Block* block) : device_(*device), block_(block) {
    place_ = device_.copies_.insert(device_.copies_.end(), this);
  }

  // Which device it is on, if it is on one at all.
  static Copy* Find(const Device* device, const Buffer& buffer) {
    auto* copy = static_cast<Copy*>(DeviceCopy::Of(buffer));
    return copy != nullptr && &copy->device_ == device ? copy : nullptr;
  }
  static void AttachTo(Buffer* buffer, Copy* copy) {
    copy->buffer_ = buffer;
    Attach(buffer, copy);
  }
  static BufferRef MakeBuffer(int64_t bytes, Copy* copy) {
    BufferRef buffer = NewBuffer(bytes, copy);
    copy->buffer_ = buffer.get();
    return buffer;
  }

  absl::Status Download(int64_t offset, int64_t n, char* to) override {
    FUSEAU_RETURN_IF_ERROR(device_.MakeCurrent());
    Stream& stream = device_.streams_[kDownload];
    FUSEAU_RETURN_IF_ERROR(stream.WaitFor(device_.compute(), written_));
    FUSEAU_RETURN_IF_ERROR(
        stream.WaitFor(device_.streams_[kUpload], uploaded_));
    Increment(Counter::kBytesDownloaded, n);
    return device_.staging_.Download(
        to, block_->address + static_cast<CUdeviceptr>(offset), n, stream);
  }

  void Drop() override {
    Positions now;
    for (int s = 0; s < kStreams; ++s) now[s] = device_.streams_[s].reserved();
    device_.pool_->Give(block_, now);
    device_.copies_.erase(place_);
    delete this;
  }

  // The bytes of the buffer in memory.
  absl::Status Fill() {
    Stream& stream = device_.streams_[kUpload];
    Increment(Counter::kBytesUploaded, buffer_->bytes());
    FUSEAU_RETURN_IF_ERROR(device_.staging_.Upload(
        block_->address, buffer_->read(), buffer_->bytes(), stream));
    uploaded_ = stream.reserved();
    return device_.compute().WaitFor(stream, uploaded_);
  }

  // Brings the bytes to memory if they are only on a device, and drops the
  // copy.
  static absl::Status LeaveAny(const Buffer& buffer) {
    FUSEAU_RETURN_IF_ERROR(Fetch(buffer));
    Detach(buffer);
    return absl::OkStatus();
  }
  absl::Status Leave() { return LeaveAny(*buffer_); }
  // What is in memory is all there is.
  static void Forget(const Buffer& buffer) { Detach(buffer); }

  void Use(uint64_t run) {
    run_ = run;
    device_.copies_.splice(device_.copies_.end(), device_.copies_, place_);
  }
  void Write() {
    written_ = device_.compute().reserved();
    DeviceCopy::SetChanged(buffer_);
  }

  CUdeviceptr address() const { return block_->address; }
  int64_t bytes() const { return block_->bytes; }
  uint64_t run() const { return run_; }
  Place place() const { return buffer_->place(); }

 private:
  Device& device_;
  Pool::Block* const block_;
  Buffer* buffer_ = nullptr;
  std::list<Copy*>::iterator place_;
  uint64_t run_ = 0;       // the latest one that used it
  uint64_t written_ = 0;   // position of the compute stream
  uint64_t uploaded_ = 0;  // position of the upload stream
};

Device::Device(const Driver* driver, Options options)
    : driver_(*driver),
      options_(options),
      streams_{{driver, kCompute}, {driver, kUpload}, {driver, kDownload}},
      staging_(driver, options.piece_bytes, options.pieces) {
  Pool::Source source;
  source.allocate = [this](int64_t bytes) -> absl::StatusOr<CUdeviceptr> {
    CUdeviceptr address = 0;
    FUSEAU_RETURN_IF_ERROR(
        FUSEAU_CUDA(driver_, cuMemAlloc, &address, static_cast<size_t>(bytes)));
    return address;
  };
  source.free = [this](CUdeviceptr address) { driver_.cuMemFree(address); };
  pool_ = std::make_unique<Pool>(std::move(source), options.pool);
}

absl::StatusOr<std::unique_ptr<Device>> Device::Open(const Driver* driver,
                                                     int ordinal,
                                                     Options options) {
  std::unique_ptr<Device> device(new Device(driver, options));
  FUSEAU_RETURN_IF_ERROR(device->Start(ordinal));
  return device;
}

absl::Status Device::Start(int ordinal) {
  FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver_, cuDeviceGet, &device_, ordinal));
  char name[128] = {};
  FUSEAU_RETURN_IF_ERROR(
      FUSEAU_CUDA(driver_, cuDeviceGetName, name, sizeof(name) - 1, device_));
  name_ = name;
  size_t total = 0;
  FUSEAU_RETURN_IF_ERROR(
      FUSEAU_CUDA(driver_, cuDeviceTotalMem, &total, device_));
  total_bytes_ = static_cast<int64_t>(total);
  if (options_.max_free < 0) options_.max_free = total_bytes_ / 4;
  int major = 0, minor = 0;
  FUSEAU_RETURN_IF_ERROR(
      FUSEAU_CUDA(driver_, cuDeviceGetAttribute, &major,
                  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device_));
  FUSEAU_RETURN_IF_ERROR(
      FUSEAU_CUDA(driver_, cuDeviceGetAttribute, &minor,
                  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device_));
  capability_ = 10 * major + minor;
  FUSEAU_RETURN_IF_ERROR(
      FUSEAU_CUDA(driver_, cuDevicePrimaryCtxRetain, &context_, device_));
  FUSEAU_RETURN_IF_ERROR(MakeCurrent());
  for (Stream& stream : streams_) FUSEAU_RETURN_IF_ERROR(stream.Open());
  return absl::OkStatus();
}

Device::~Device() {
  const std::lock_guard lock(DeviceCopy::Mutex());
  FUSEAU_CHECK(copies_.empty());
  if (context_ == nullptr) return;
  driver_.cuCtxSetCurrent(context_);
  for (Stream& stream : streams_)
    if (stream.handle() != nullptr)
      driver_.cuStreamSynchronize(stream.handle());
  for (auto& [kernel, loaded] : loaded_) driver_.cuModuleUnload(loaded.module);
  staging_.Close();
  pool_.reset();
  for (Stream& stream : streams_) stream.Close();
  driver_.cuDevicePrimaryCtxRelease(device_);
}

absl::Status Device::MakeCurrent() const {
  return FUSEAU_CUDA(driver_, cuCtxSetCurrent, context_);
}

absl::Status Device::BeginRun() {
  const std::lock_guard lock(DeviceCopy::Mutex());
  ++run_;
  return MakeCurrent();
}

void Device::EndRun() {
  const std::lock_guard lock(DeviceCopy::Mutex());
  if (pool_->usage().free > options_.max_free) TrimTo(options_.max_free);
  if (loaded_.size() > kMaxKernels) UnloadIdle();
}

// Kernels that nobody else has.
void Device::UnloadIdle() {
  if (!SynchronizeAll().ok()) return;
  for (auto it = loaded_.begin(); it != loaded_.end();) {
    const auto here = it++;
    if (here->second.kernel.use_count() > 1) continue;
    driver_.cuModuleUnload(here->second.module);
    loaded_.erase(here);
  }
}

void Device::TrimTo(int64_t max_free) {
  // What fails shows again at the next transfer.
  if (SynchronizeAll().ok()) pool_->Trim(max_free);
}

absl::Status Device::SynchronizeAll() {
  for (Stream& stream : streams_) FUSEAU_RETURN_IF_ERROR(stream.Synchronize());
  return absl::OkStatus();
}

absl::Status Device::Synchronize() {
  const std::lock_guard lock(DeviceCopy::Mutex());
  FUSEAU_RETURN_IF_ERROR(MakeCurrent());
  return SynchronizeAll();
}

absl::Status Device::BringAllHome() {
  const std::lock_guard lock(DeviceCopy::Mutex());
  FUSEAU_RETURN_IF_ERROR(MakeCurrent());
  while (!copies_.empty()) {
    FUSEAU_RETURN_IF_ERROR(copies_.front()->Leave());
  }
  return SynchronizeAll();
}

// A block that `user` may use.
absl::StatusOr<Pool::Block*> Device::Take(int64_t bytes, StreamKind user) {
  FUSEAU_ASSIGN_OR_RETURN(Pool::Block * block, pool_->Take(bytes));
  for (Stream& other : streams_) {
    const StreamKind kind = static_cast<StreamKind>(&other - streams_);
    const absl::Status status =
        streams_[user].WaitFor(other, block->last[kind]);
    if (!status.ok()) {
      pool_->Give(block, {});
      return status;
    }
  }
  return block;
}

absl::StatusOr<BufferRef> Device::NewBuffer(int64_t bytes) {
  const std::lock_guard lock(DeviceCopy::Mutex());
  FUSEAU_ASSIGN_OR_RETURN(Pool::Block * block, Take(bytes, kCompute));
  auto* copy = new Copy(this, block);
  copy->Use(run_);
  return Copy::MakeBuffer(bytes, copy);
}

absl::Status Device::Upload(Buffer* buffer) {
  const std::lock_guard lock(DeviceCopy::Mutex());
  if (Copy* copy = Copy::Find(this, *buffer)) {
    copy->Use(run_);
    return absl::OkStatus();
  }
  // Another device has it: by way of memory.
  FUSEAU_RETURN_IF_ERROR(Copy::LeaveAny(*buffer));
  FUSEAU_ASSIGN_OR_RETURN(Pool::Block * block, Take(buffer->bytes(), kUpload));
  auto* copy = new Copy(this, block);
  copy->Use(run_);
  Copy::AttachTo(buffer, copy);
  const absl::Status status = copy->Fill();
  if (!status.ok()) Copy::Forget(*buffer);
  return status;
}

absl::Status Device::Reclaim(int64_t bytes) {
  using arena_internal::SizeText;
  const std::lock_guard lock(DeviceCopy::Mutex());
  FUSEAU_RETURN_IF_ERROR(SynchronizeAll());
  pool_->Trim(0);
  int64_t dropped = 0;
  // First those that cost nothing.
  for (const Place place : {Place::kBoth, Place::kDevice}) {
    for (auto it = copies_.begin(); it != copies_.end() && dropped < bytes;) {
      Copy* const copy = *it++;
      if (copy->run() == run_ || copy->place() != place) continue;
      dropped += copy->bytes();
      FUSEAU_RETURN_IF_ERROR(copy->Leave());
    }
  }
  FUSEAU_RETURN_IF_ERROR(SynchronizeAll());
  pool_->Trim(0);
  auto block = pool_->Take(bytes);
  if (block.ok()) {
    pool_->Give(*block, {});
    return absl::OkStatus();
  }
  if (!absl::IsResourceExhausted(block.status())) return block.status();
  return absl::ResourceExhaustedError(
      absl::StrCat("Unable to allocate ", SizeText(bytes), " on the GPU (",
                   name_, "): ", SizeText(pool_->usage().used), " of its ",
                   SizeText(total_bytes_), " are in use here"));
}

CUdeviceptr Device::AddressOf(const Buffer& buffer) const {
  const std::lock_guard lock(DeviceCopy::Mutex());
  const Copy* copy = Copy::Find(this, buffer);
  FUSEAU_CHECK(copy != nullptr);
  return copy->address();
}

bool Device::Has(const Buffer& buffer) const {
  const std::lock_guard lock(DeviceCopy::Mutex());
  return Copy::Find(this, buffer) != nullptr;
}

void Device::SetChanged(Buffer* buffer) {
  const std::lock_guard lock(DeviceCopy::Mutex());
  Copy::Find(this, *buffer)->Write();
}

absl::Status Device::TakeBack(Buffer* buffer) {
  const std::lock_guard lock(DeviceCopy::Mutex());
  Copy* const copy = Copy::Find(this, *buffer);
  return copy == nullptr ? absl::OkStatus() : copy->Leave();
}

absl::StatusOr<CUfunction> Device::FunctionOf(
    const std::shared_ptr<const GpuKernel>& kernel, uint32_t shared_bytes) {
  const std::lock_guard lock(DeviceCopy::Mutex());
  Loaded& loaded = loaded_[kernel.get()];
  if (loaded.module == nullptr) {
    const absl::Status status = FUSEAU_CUDA(
        driver_, cuModuleLoadData, &loaded.module, kernel->image.data());
    if (!status.ok()) {
      loaded_.erase(kernel.get());
      return status;
    }
    loaded.kernel = kernel;
  }
  if (loaded.function == nullptr) {
    FUSEAU_RETURN_IF_ERROR(FUSEAU_CUDA(driver_, cuModuleGetFunction,
                                       &loaded.function, loaded.module,
                                       kernel->name.c_str()));
    Increment(Counter::kGpuKernelsLoaded);
  }
  const CUfunction function = loaded.function;
  if (shared_bytes > std::max(kUsualSharedBytes, loaded.shared_bytes)) {
    FUSEAU_RETURN_IF_ERROR(
        FUSEAU_CUDA(driver_, cuFuncSetAttribute, function,
                    CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                    static_cast<int>(shared_bytes)));
    loaded.shared_bytes = shared_bytes;
  }
  return function;
}

Pool::Usage Device::memory() const {
  const std::lock_guard lock(DeviceCopy::Mutex());
  return pool_->usage();
}

}  // namespace fuseau::runtime::cuda
