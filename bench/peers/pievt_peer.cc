// Ourselves, as everybody who links the library uses it.
#include <optional>

#include "bench/peers/peer.h"
#include "pievt/log.h"
#include "tools/measure/events.h"

namespace pievt::bench {
namespace {

enum class Encoded : std::uint8_t { while_timed, before };

class PievtClient final : public Client {
 public:
  PievtClient(Log& log, Encoded when) : log_(log), when_(when) {}

  void prepare(std::size_t events) override {
    streams_ = measure::one_append(events, number_ += events);
    if (when_ == Encoded::while_timed) return;
    Result<EncodedAppend> encoded = EncodedAppend::encode(streams_);
    PIEVT_ASSERT(encoded.ok());  // within every bound
    encoded_ = std::move(encoded).value();
  }

  Status append(std::size_t) override {
    if (when_ == Encoded::before) {
      PIEVT_TRY(log_.append(*encoded_));
    } else {
      PIEVT_TRY(log_.append(streams_));
    }
    return {};
  }

 private:
  Log& log_;
  Encoded when_;
  std::uint64_t number_ = 0;
  std::vector<StreamEvents> streams_;
  std::optional<EncodedAppend> encoded_;
};

class PievtPeer final : public Peer {
 public:
  PievtPeer(Log log, Encoded when) : log_(std::move(log)), when_(when) {}
  Result<std::unique_ptr<Client>> connect() override {
    return std::unique_ptr<Client>(std::make_unique<PievtClient>(log_, when_));
  }

 private:
  Log log_;
  Encoded when_;
};

Result<std::unique_ptr<Peer>> start(const std::filesystem::path& directory, Encoded when) {
  Log log = PIEVT_TRY(Log::open(directory / "store", {.mode = OpenMode::create}));
  return std::unique_ptr<Peer>(std::make_unique<PievtPeer>(std::move(log), when));
}

}  // namespace

Result<std::unique_ptr<Peer>> start_pievt(const std::filesystem::path& directory) {
  return start(directory, Encoded::while_timed);
}

Result<std::unique_ptr<Peer>> start_pievt_encoded(const std::filesystem::path& directory) {
  return start(directory, Encoded::before);
}

}  // namespace pievt::bench
