#include "distrib/bootstrap/hello.h"

#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "distrib/wire.h"
#include "runtime/base/status.h"

namespace fuseau::distrib {
namespace {

// The rest of the first line of a file that begins with `key`.
std::string LineOf(const char* path, absl::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (absl::StartsWith(line, key)) return line.substr(key.size());
  }
  return "";
}

// The id that the linker gave to the file that this code is in, or "".
std::string BuildNote() {
  struct Search {
    ElfW(Addr) code;
    std::string id;
  } search{reinterpret_cast<ElfW(Addr)>(&BuildNote), ""};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* arg) {
        auto* const found = static_cast<Search*>(arg);
        bool ours = false;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          const ElfW(Addr) begin = info->dlpi_addr + header.p_vaddr;
          ours = ours || (header.p_type == PT_LOAD && found->code >= begin &&
                          found->code < begin + header.p_memsz);
        }
        if (!ours) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_NOTE) continue;
          const char* at =
              reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
          const char* const end = at + header.p_memsz;
          while (at + sizeof(ElfW(Nhdr)) <= end) {
            ElfW(Nhdr) note;
            std::memcpy(&note, at, sizeof(note));
            const char* const name = at + sizeof(note);
            const char* const text = name + ((note.n_namesz + 3) & ~3u);
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
                std::memcmp(name, "GNU", 4) == 0) {
              found->id = absl::BytesToHexString({text, note.n_descsz});
            }
            at = text + ((note.n_descsz + 3) & ~3u);
          }
        }
        return 1;
      },
      &search);
  return search.id;
}

absl::Status Unlike(int rank, absl::string_view what, absl::string_view theirs,
                    absl::string_view ours) {
  return absl::FailedPreconditionError(
      absl::StrCat("rank ", rank, " has ", what, " ", theirs, ", rank 0 has ",
                   ours, "; all ranks of a job need the same"));
}

}  // namespace

std::string Hello::Encode() const {
  return Writer()
      .Number(ranks)
      .Number(spmd)
      .Text(build)
      .Text(ucx)
      .Text(processor)
      .Text(host)
      .Text(boot)
      .Text(address)
      .Take();
}

absl::StatusOr<Hello> Hello::Decode(absl::string_view bytes) {
  Reader reader(bytes);
  Hello hello;
  hello.ranks = reader.Number<uint32_t>();
  hello.spmd = reader.Number<uint32_t>();
  for (std::string* text : {&hello.build, &hello.ucx, &hello.processor,
                            &hello.host, &hello.boot, &hello.address}) {
    *text = reader.Text();
  }
  if (!reader.AtEnd()) return absl::InvalidArgumentError("garbage as a hello");
  return hello;
}

std::string Roster::Encode() const {
  Writer writer;
  writer.Number(silence_seconds).Number(static_cast<uint32_t>(ranks.size()));
  for (const Hello& hello : ranks) writer.Text(hello.Encode());
  return writer.Take();
}

absl::StatusOr<Roster> Roster::Decode(absl::string_view bytes) {
  Reader reader(bytes);
  Roster roster;
  roster.silence_seconds = reader.Number<double>();
  const auto count = reader.Number<uint32_t>();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    FUSEAU_ASSIGN_OR_RETURN(Hello hello, Hello::Decode(reader.Text()));
    roster.ranks.push_back(std::move(hello));
  }
  if (!reader.AtEnd()) return absl::InvalidArgumentError("garbage as a roster");
  return roster;
}

Hello DescribeProcess() {
  Hello hello;
  const bool little = std::endian::native == std::endian::little;
  hello.build = absl::StrCat(FUSEAU_VERSION, "-", BuildNote(),
                             little ? "" : "-big-endian");
  hello.processor = LineOf("/proc/cpuinfo", "model name\t: ");
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  hello.host = host;
  hello.boot = LineOf("/proc/sys/kernel/random/boot_id", "");
  return hello;
}

absl::Status CheckAlike(const Hello& root, const Hello& other, int rank) {
  if (other.build != root.build) {
    return Unlike(rank, "build", other.build, root.build);
  }
  if (other.ucx != root.ucx) {
    return Unlike(rank, "UCX", other.ucx, root.ucx);
  }
  if (other.ranks != root.ranks) {
    return Unlike(rank, "a number of ranks of", absl::StrCat(other.ranks),
                  absl::StrCat(root.ranks));
  }
  if (other.spmd != root.spmd) {
    return Unlike(rank, "FUSEAU_SPMD", absl::StrCat(other.spmd),
                  absl::StrCat(root.spmd));
  }
  return absl::OkStatus();
}

}  // namespace fuseau::distrib
