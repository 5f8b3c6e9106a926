#include "distrib/ucx/ucx_transport.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "distrib/clock.h"
#include "distrib/ucx/variable.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

// How long messages may take to end when the endpoints are closed.
constexpr absl::Duration kCloseTime = absl::Milliseconds(500);

ucs_memory_type_t kHost = UCS_MEMORY_TYPE_HOST;

absl::Status UcxError(const UcxLibrary& ucx, absl::string_view what,
                      ucs_status_t status) {
  return absl::InternalError(
      absl::StrCat("UCX: ", what, ": ", ucx.ucs_status_string(status)));
}

// The status of a message. What says that the peer cannot be reached is
// Unavailable.
absl::Status MessageStatus(const UcxLibrary& ucx, ucs_status_t status) {
  switch (status) {
    case UCS_OK:
      return absl::OkStatus();
    case UCS_ERR_CANCELED:
      return absl::CancelledError("given up");
    case UCS_ERR_MESSAGE_TRUNCATED:
      return absl::InternalError(
          "a message is longer than expected: the ranks did not do the same");
    case UCS_ERR_NO_MEMORY:
      return absl::ResourceExhaustedError("no memory for a message");
    default:
      return absl::UnavailableError(ucx.ucs_status_string(status));
  }
}

// Whether the system gives shared memory without names, as most do.
bool HasSegments() {
  const int id = shmget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
  if (id < 0) return false;
  shmctl(id, IPC_RMID, nullptr);
  return true;
}

ucp_request_param_t Params(Message* message) {
  ucp_request_param_t params{};
  params.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK |
                        UCP_OP_ATTR_FIELD_USER_DATA |
                        UCP_OP_ATTR_FIELD_MEMORY_TYPE;
  params.user_data = message;
  params.memory_type = kHost;
  return params;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UcxTransport>> UcxTransport::Create(
    const UcxLibrary& ucx, absl::string_view device) {
  std::unique_ptr<UcxTransport> transport(new UcxTransport(ucx));
  FUSEAU_RETURN_IF_ERROR(transport->Init(device));
  return transport;
}

absl::Status UcxTransport::Init(absl::string_view device) {
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_ < 0) return absl::ResourceExhaustedError("no file for an event");

  // Larger pieces than UCX would send over TCP: up to 2.5 times the bandwidth.
  const ScopedVariable send_bytes("UCX_TCP_TX_SEG_SIZE", "256k");
  const ScopedVariable receive_bytes("UCX_TCP_RX_SEG_SIZE", "256k");
  ucp_config_t* config = nullptr;
  ucs_status_t status = ucx_.ucp_config_read(nullptr, nullptr, &config);
  if (status != UCS_OK) return UcxError(ucx_, "its settings", status);
  // With peer error handling alone, ranks of one host would talk over TCP: 33
  // times the latency. A rank that ends is noticed within a second.
  std::vector<std::pair<const char*, std::string>> ours = {
      {"NET_DEVICES", std::string(device)},
      {"MM_ERROR_HANDLING", "y"},
      {"KEEPALIVE_INTERVAL", "1s"},
  };
  // The other kind of shared memory has a name until UCX has cleared it: a file
  // that stays for good when the process is killed meanwhile.
  if (HasSegments()) ours.emplace_back("TLS", "^posix");
  for (const auto& [name, value] : ours) {
    if (std::getenv(absl::StrCat("UCX_", name).c_str()) != nullptr) continue;
    status = ucx_.ucp_config_modify(config, name, value.c_str());
    if (status != UCS_OK) {
      ucx_.ucp_config_release(config);
      return UcxError(ucx_, absl::StrCat("setting ", name, "=", value), status);
    }
  }
  ucp_params_t params{};
  params.field_mask = UCP_PARAM_FIELD_FEATURES;
  params.features = UCP_FEATURE_TAG | UCP_FEATURE_WAKEUP;
  status = ucx_.ucp_init_version(UCP_API_MAJOR, UCP_API_MINOR, &params, config,
                                 &context_);
  ucx_.ucp_config_release(config);
  if (status != UCS_OK) return UcxError(ucx_, "start", status);

  ucp_worker_params_t worker_params{};
  worker_params.field_mask =
      UCP_WORKER_PARAM_FIELD_THREAD_MODE | UCP_WORKER_PARAM_FIELD_EVENTS;
  // One thread at a time, not always the same one.
  worker_params.thread_mode = UCS_THREAD_MODE_SERIALIZED;
  worker_params.events =
      UCP_WAKEUP_TAG_SEND | UCP_WAKEUP_TAG_RECV | UCP_WAKEUP_TX | UCP_WAKEUP_RX;
  status = ucx_.ucp_worker_create(context_, &worker_params, &worker_);
  if (status != UCS_OK) return UcxError(ucx_, "a worker", status);
  status = ucx_.ucp_worker_get_efd(worker_, &events_);
  if (status != UCS_OK) return UcxError(ucx_, "its event file", status);
  ucp_address_t* address = nullptr;
  size_t bytes = 0;
  status = ucx_.ucp_worker_get_address(worker_, &address, &bytes);
  if (status != UCS_OK) return UcxError(ucx_, "its address", status);
  address_.assign(reinterpret_cast<const char*>(address), bytes);
  ucx_.ucp_worker_release_address(worker_, address);
  return absl::OkStatus();
}

UcxTransport::~UcxTransport() {
  // A worker that is left alone harms nobody, but UCX ends the process when one
  // is destroyed that still has requests. The order matters too.
  if (!abandoned_ && worker_ != nullptr) {
    CloseEndpoints();
    if (open_ == 0) ucx_.ucp_worker_destroy(worker_);
  }
  if (!abandoned_ && context_ != nullptr && open_ == 0) {
    ucx_.ucp_cleanup(context_);
  }
  if (wake_ >= 0) close(wake_);
}

void UcxTransport::SetPeers(std::vector<Peer> peers) {
  endpoints_.resize(peers.size());
  for (size_t i = 0; i < peers.size(); ++i) {
    endpoints_[i].transport = this;
    endpoints_[i].peer = std::move(peers[i]);
  }
}

absl::Status UcxTransport::Connect(Endpoint* endpoint) {
  ucp_ep_params_t params{};
  params.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS |
                      UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE |
                      UCP_EP_PARAM_FIELD_ERR_HANDLER;
  params.address =
      reinterpret_cast<const ucp_address_t*>(endpoint->peer.address.data());
  params.err_mode = UCP_ERR_HANDLING_MODE_PEER;
  params.err_handler.arg = endpoint;
  params.err_handler.cb = [](void* arg, ucp_ep_h, ucs_status_t) {
    const auto* broken = static_cast<Endpoint*>(arg);
    UcxTransport* transport = broken->transport;
    if (transport->broken_ < 0) {
      transport->broken_ =
          static_cast<int>(broken - transport->endpoints_.data());
    }
  };
  const ucs_status_t status =
      ucx_.ucp_ep_create(worker_, &params, &endpoint->handle);
  if (status != UCS_OK) {
    endpoint->handle = nullptr;
    return MessageStatus(ucx_, status);
  }
  if (endpoint->peer.same_host) WarnIfSlow(*endpoint);
  return absl::OkStatus();
}

void UcxTransport::WarnIfSlow(const Endpoint& endpoint) {
  static bool warned = false;
  if (warned || std::getenv("UCX_TLS") != nullptr) return;  // the user's choice
  char* text = nullptr;
  size_t bytes = 0;
  FILE* const out = open_memstream(&text, &bytes);
  if (out == nullptr) return;
  ucx_.ucp_ep_print_info(endpoint.handle, out);
  fclose(out);
  const absl::string_view info(text, bytes);
  if (!absl::StrContains(info, "sysv/") && !absl::StrContains(info, "posix/") &&
      !absl::StrContains(info, "xpmem/")) {
    warned = true;
    LogWarning(
        "ranks of this host do not use shared memory for their messages, which "
        "will be slow; is /dev/shm full, or are they in several containers?");
  }
  free(text);
}

void UcxTransport::Begin(Message* message) {
  message->transport = this;
  message->done = false;
  ++open_;
}

void UcxTransport::Track(ucs_status_ptr_t request, Message* message) {
  if (request == nullptr) {
    message->done = true;
    --open_;
  } else if (UCS_PTR_IS_ERR(request)) {
    message->status = MessageStatus(ucx_, UCS_PTR_STATUS(request));
    message->done = true;
    --open_;
  } else if (!message->done) {
    message->request = request;
  }
}

void UcxTransport::End(void* request, ucs_status_t status, Message* message) {
  message->status = MessageStatus(ucx_, status);
  message->request = nullptr;
  message->done = true;
  --open_;
  ucx_.ucp_request_free(request);
}

void UcxTransport::Send(int peer, uint64_t tag, const char* data, int64_t bytes,
                        Message* message) {
  Endpoint& endpoint = endpoints_[peer];
  if (endpoint.handle == nullptr) {
    message->status = Connect(&endpoint);
    if (!message->status.ok()) {
      message->done = true;
      broken_ = peer;
      return;
    }
  }
  ucp_request_param_t params = Params(message);
  params.cb.send = [](void* request, ucs_status_t status, void* user_data) {
    auto* const sent = static_cast<Message*>(user_data);
    static_cast<UcxTransport*>(sent->transport)->End(request, status, sent);
  };
  Begin(message);
  Track(ucx_.ucp_tag_send_nbx(endpoint.handle, data, bytes, tag, &params),
        message);
  if (message->done && absl::IsUnavailable(message->status)) broken_ = peer;
}

void UcxTransport::Receive(uint64_t tag, uint64_t mask, char* data,
                           int64_t bytes, Message* message) {
  Begin(message);
  ucp_request_param_t params = Params(message);
  params.cb.recv = OnReceived;
  // A receive that is done at once calls nobody, and UCX 1.13 does not tell
  // then what it has received: a message that is here already is looked at
  // first.
  ucp_tag_recv_info_t info{};
  const ucp_tag_message_h found =
      ucx_.ucp_tag_probe_nb(worker_, tag, mask, /*remove=*/1, &info);
  if (found == nullptr) {
    Track(ucx_.ucp_tag_recv_nbx(worker_, data, bytes, tag, mask, &params),
          message);
    return;
  }
  message->tag = info.sender_tag;
  message->bytes = static_cast<int64_t>(info.length);
  Track(ucx_.ucp_tag_msg_recv_nbx(worker_, data, bytes, found, &params),
        message);
}

void UcxTransport::OnReceived(void* request, ucs_status_t status,
                              const ucp_tag_recv_info_t* info,
                              void* user_data) {
  auto* const received = static_cast<Message*>(user_data);
  if (status == UCS_OK) {
    received->tag = info->sender_tag;
    received->bytes = static_cast<int64_t>(info->length);
  }
  static_cast<UcxTransport*>(received->transport)
      ->End(request, status, received);
}

void UcxTransport::Cancel(Message* message) {
  // Sends cannot be cancelled.
  if (message->request != nullptr) {
    ucx_.ucp_request_cancel(worker_, message->request);
  }
}

bool UcxTransport::Progress() {
  return !abandoned_ && ucx_.ucp_worker_progress(worker_) != 0;
}

void UcxTransport::Sleep(absl::Duration limit) {
  if (!abandoned_ && ucx_.ucp_worker_arm(worker_) == UCS_ERR_BUSY) return;
  pollfd files[] = {{wake_, POLLIN, 0}, {events_, POLLIN, 0}};
  poll(files, abandoned_ ? 1 : 2,
       static_cast<int>(absl::ToInt64Milliseconds(limit)));
  uint64_t count;
  if (files[0].revents != 0) {
    [[maybe_unused]] const ssize_t n = read(wake_, &count, sizeof(count));
  }
}

void UcxTransport::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_, &one, sizeof(one));
}

bool UcxTransport::Discard(uint64_t tag, uint64_t mask) {
  sinks_.remove_if([](const Sink& sink) { return sink.message.done; });
  ucp_tag_recv_info_t info{};
  const ucp_tag_message_h found =
      ucx_.ucp_tag_probe_nb(worker_, tag, mask, /*remove=*/1, &info);
  if (found == nullptr) return false;
  // Its sender waits until somebody has taken it.
  Sink& sink = sinks_.emplace_back();
  sink.bytes.reset(new char[info.length]);
  Begin(&sink.message);
  ucp_request_param_t params = Params(&sink.message);
  params.cb.recv = OnReceived;
  Track(ucx_.ucp_tag_msg_recv_nbx(worker_, sink.bytes.get(), info.length, found,
                                  &params),
        &sink.message);
  return true;
}

std::optional<int> UcxTransport::Broken() const {
  if (broken_ < 0) return std::nullopt;
  return broken_;
}

void UcxTransport::Finish(ucs_status_ptr_t request, absl::Time limit) {
  if (request == nullptr || UCS_PTR_IS_ERR(request)) return;
  while (ucx_.ucp_request_check_status(request) == UCS_INPROGRESS) {
    if (Now() >= limit) {
      ++open_;  // for ever
      return;
    }
    if (!Progress()) Sleep(absl::Milliseconds(10));
  }
  ucx_.ucp_request_free(request);
}

void UcxTransport::CloseEndpoints() {
  std::vector<ucs_status_ptr_t> closing;
  ucp_request_param_t params{};
  params.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS;
  params.flags = UCP_EP_CLOSE_FLAG_FORCE;
  for (Endpoint& endpoint : endpoints_) {
    if (endpoint.handle == nullptr) continue;
    closing.push_back(ucx_.ucp_ep_close_nbx(endpoint.handle, &params));
    endpoint.handle = nullptr;
  }
  const absl::Time limit = Now() + kCloseTime;
  for (ucs_status_ptr_t request : closing) Finish(request, limit);
  while (open_ > 0 && Now() < limit) {
    if (!Progress()) Sleep(absl::Milliseconds(10));
  }
}

void UcxTransport::Abandon() {
  if (abandoned_) return;
  // Memory is touched by Progress alone, which does nothing from now on; only
  // network cards write by themselves until their connections are closed. UCX
  // is left alone otherwise: 1.13 ends the process when connections are closed
  // that are just being made.
  if (NamesDevices()) CloseEndpoints();
  abandoned_ = true;
}

void UcxTransport::Flush(absl::Duration limit) {
  ucp_request_param_t params{};
  Finish(ucx_.ucp_worker_flush_nbx(worker_, &params), Now() + limit);
}

}  // namespace fuseau::distrib
