// Messages over UCX: shared memory between ranks of one host, and whatever
// connects hosts.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "distrib/transport.h"
#include "distrib/ucx/library.h"

namespace fuseau::distrib {

class UcxTransport : public Transport {
 public:
  // `device` is the network device that is used unless the user has named
  // others (see NamesDevices).
  static absl::StatusOr<std::unique_ptr<UcxTransport>> Create(
      const UcxLibrary& ucx, absl::string_view device);
  ~UcxTransport() override;

  // Where others reach this rank.
  const std::string& address() const { return address_; }
  struct Peer {
    std::string address;
    bool same_host = false;
  };
  // All ranks, this one included. Endpoints are made when they are first used.
  void SetPeers(std::vector<Peer> peers);

  void Send(int peer, uint64_t tag, const char* data, int64_t bytes,
            Message* message) override;
  void Receive(uint64_t tag, uint64_t mask, char* data, int64_t bytes,
               Message* message) override;
  void Cancel(Message* message) override;
  bool Progress() override;
  void Sleep(absl::Duration limit) override;
  void Wake() override;
  bool Discard(uint64_t tag, uint64_t mask) override;
  std::optional<int> Broken() const override;
  void Abandon() override;
  void Flush(absl::Duration limit) override;

 private:
  struct Endpoint {
    UcxTransport* transport = nullptr;
    Peer peer;
    ucp_ep_h handle = nullptr;
  };

  explicit UcxTransport(const UcxLibrary& ucx) : ucx_(ucx) {}
  absl::Status Init(absl::string_view device);
  absl::Status Connect(Endpoint* endpoint);
  void WarnIfSlow(const Endpoint& endpoint);
  // Closes all endpoints, and gives requests of our own the time to end.
  void CloseEndpoints();
  // Waits for a request without a message.
  void Finish(ucs_status_ptr_t request, absl::Time limit);
  // Before a message is given to UCX: with a peer that it has just lost, 1.13
  // calls back before it returns.
  void Begin(Message* message);
  // A request that UCX has begun, or has done or refused at once.
  void Track(ucs_status_ptr_t request, Message* message);
  void End(void* request, ucs_status_t status, Message* message);
  static void OnReceived(void* request, ucs_status_t status,
                         const ucp_tag_recv_info_t* info, void* user_data);

  // A message that is taken and dropped.
  struct Sink {
    std::unique_ptr<char[]> bytes;
    Message message;
  };

  const UcxLibrary& ucx_;
  ucp_context_h context_ = nullptr;
  ucp_worker_h worker_ = nullptr;
  int events_ = -1;  // of the worker, which owns it
  int wake_ = -1;
  std::string address_;
  std::vector<Endpoint> endpoints_;
  std::list<Sink> sinks_;
  int broken_ = -1;
  int64_t open_ = 0;  // requests that are not done
  bool abandoned_ = false;
};

}  // namespace fuseau::distrib
