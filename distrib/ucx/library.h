// UCX, loaded when ranks need it: all else works where it is not installed.
#pragma once

#include <ucp/api/ucp.h>

#include <string>

#include "absl/status/statusor.h"

namespace fuseau::distrib {

// The functions of libucp that we use. They are those of UCX 1.13; later
// versions have them too.
#define FUSEAU_UCX_FUNCTIONS(F) \
  F(ucp_get_version)            \
  F(ucp_config_read)            \
  F(ucp_config_modify)          \
  F(ucp_config_release)         \
  F(ucp_init_version)           \
  F(ucp_cleanup)                \
  F(ucp_worker_create)          \
  F(ucp_worker_destroy)         \
  F(ucp_worker_get_address)     \
  F(ucp_worker_release_address) \
  F(ucp_worker_get_efd)         \
  F(ucp_worker_arm)             \
  F(ucp_worker_progress)        \
  F(ucp_worker_flush_nbx)       \
  F(ucp_ep_create)              \
  F(ucp_ep_close_nbx)           \
  F(ucp_ep_print_info)          \
  F(ucp_tag_send_nbx)           \
  F(ucp_tag_recv_nbx)           \
  F(ucp_tag_probe_nb)           \
  F(ucp_tag_msg_recv_nbx)       \
  F(ucp_request_cancel)         \
  F(ucp_request_check_status)   \
  F(ucp_request_free)           \
  F(ucs_status_string)

struct UcxLibrary {
#define FUSEAU_UCX_MEMBER(name) decltype(&::name) name = nullptr;
  FUSEAU_UCX_FUNCTIONS(FUSEAU_UCX_MEMBER)
#undef FUSEAU_UCX_MEMBER
  std::string version;  // as in "1.13.1"
};

// Whether the user has named devices for UCX, which may be network cards that
// read and write memory by themselves. Otherwise ranks use shared memory and
// the TCP of one interface.
bool NamesDevices();

// libucp.so.0, or the file that FUSEAU_UCX_LIBRARY names. Loaded once; stays.
absl::StatusOr<const UcxLibrary*> LoadUcx();

}  // namespace fuseau::distrib
