#include "distrib/wire.h"

#include <utility>
#include <vector>

#include "absl/strings/cord.h"

namespace fuseau::distrib {

std::string EncodeStatus(const absl::Status& status) {
  std::vector<std::pair<std::string, std::string>> payloads;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) {
    payloads.emplace_back(url, value);
  });
  Writer writer;
  writer.Number<int32_t>(static_cast<int32_t>(status.code()))
      .Text(status.message())
      .Number<uint32_t>(static_cast<uint32_t>(payloads.size()));
  for (const auto& [url, value] : payloads) writer.Text(url).Text(value);
  return writer.Take();
}

absl::Status DecodeStatus(absl::string_view bytes) {
  Reader reader(bytes);
  const auto code = static_cast<absl::StatusCode>(reader.Number<int32_t>());
  const std::string message = reader.Text();
  absl::Status status(code, message);
  const uint32_t payloads = reader.Number<uint32_t>();
  for (uint32_t i = 0; i < payloads && reader.ok(); ++i) {
    const std::string url = reader.Text();
    const std::string value = reader.Text();
    status.SetPayload(url, absl::Cord(absl::string_view(value)));
  }
  if (!reader.AtEnd()) {
    return absl::InternalError("a rank sent a status that cannot be read");
  }
  return status;
}

}  // namespace fuseau::distrib
