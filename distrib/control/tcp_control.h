// The control channel between processes: every rank has a connection to rank 0,
// which passes on what it hears.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "distrib/alarm.h"
#include "distrib/bootstrap/socket.h"
#include "distrib/control.h"

namespace fuseau::distrib {

// A thread of its own watches the connections: the end of a process closes
// them, and each side sends a beat every second. Silence counts as the end, but
// not what this process has slept through itself.
class TcpControl : public Control {
 public:
  struct Options {
    int rank = 0;
    absl::Duration silence = absl::Seconds(10);
  };
  // `connections`: see Meeting.
  TcpControl(const Options& options, std::vector<Socket> connections,
             Alarm* alarm);
  ~TcpControl() override;

  void Fail(uint64_t run, const absl::Status& why) override;
  void Lose(int rank, absl::string_view what) override;
  void Leave() override;

 private:
  class Loop;
  const Options options_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace fuseau::distrib
