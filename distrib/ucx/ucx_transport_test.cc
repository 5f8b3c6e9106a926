// What UCX does rarely, and not at will: it is done here in its place.
#include "distrib/ucx/ucx_transport.h"

#include <gtest/gtest.h>

namespace fuseau::distrib {
namespace {

// Stand for what UCX gives; nobody looks into them.
char a_message, a_request;
int requests_freed = 0;

ucp_tag_message_h FindMessage(ucp_worker_h, ucp_tag_t tag, ucp_tag_t, int,
                              ucp_tag_recv_info_t* info) {
  *info = {tag, 8};
  return reinterpret_cast<ucp_tag_message_h>(&a_message);
}

// As 1.13 with a message whose sender was lost since it came.
ucs_status_ptr_t FailBeforeReturn(ucp_worker_h, void*, size_t,
                                  ucp_tag_message_h,
                                  const ucp_request_param_t* param) {
  const ucp_tag_recv_info_t info{};
  param->cb.recv(&a_request, UCS_ERR_CONNECTION_RESET, &info, param->user_data);
  return &a_request;
}

void CountFree(void* request) { requests_freed += request == &a_request; }

TEST(UcxTransportTest, AReceiveMayFailBeforeItReturns) {
  const auto library = LoadUcx();
  ASSERT_TRUE(library.ok()) << library.status();
  UcxLibrary ucx = **library;
  ucx.ucp_tag_probe_nb = FindMessage;
  ucx.ucp_tag_msg_recv_nbx = FailBeforeReturn;
  ucx.ucp_request_free = CountFree;
  auto transport = UcxTransport::Create(ucx, "lo");
  ASSERT_TRUE(transport.ok()) << transport.status();
  requests_freed = 0;
  char data[8];
  Message message;
  (*transport)->Receive(/*tag=*/1, /*mask=*/1, data, sizeof(data), &message);
  EXPECT_TRUE(message.done);
  EXPECT_EQ(message.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(message.request, nullptr);
  EXPECT_EQ(requests_freed, 1);
  (*transport)->Cancel(&message);  // nothing
  EXPECT_TRUE((*transport)->Discard(/*tag=*/1, /*mask=*/1));
  EXPECT_EQ(requests_freed, 2);
}

}  // namespace
}  // namespace fuseau::distrib
