// Events, as values to append and as views to read.
//
// An event's shape is written in schemas/*.fbs and nowhere else. This header turns the union of all
// payloads into one list, and everything generic (encoding, visiting, comparing, documentation)
// comes from the list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "pievt/ids.h"
#include "pievt/schema/envelope_generated.h"

namespace pievt {

template <class... T>
struct type_list {};

/// Every payload, in the order of the union in schemas/events.fbs.
using event_types = type_list<
    schema::StoreCreated, schema::WriterOpened, schema::WriterClosed, schema::StreamDeclared,
    schema::ActorDeclared, schema::SchemaRegistered, schema::RunPlanned, schema::RunStarted,
    schema::RunStopRequested, schema::RunPaused, schema::RunResumed, schema::RunRecovered,
    schema::RunFinished, schema::JobDeclared, schema::JobRetryScheduled, schema::JobJudged,
    schema::JobFinished, schema::AttemptLaunchRequested, schema::AttemptLaunched,
    schema::AttemptLaunchFailed, schema::AttemptStopRequested, schema::AttemptExited,
    schema::AttemptLeftoversFound, schema::AttemptSwept, schema::AttemptAdopted,
    schema::AttemptLost, schema::AttemptClassified, schema::SessionStarted, schema::TurnEnded,
    schema::ToolCallStarted, schema::ToolCallFinished, schema::UsageRecorded,
    schema::FinalMessageObserved, schema::ProviderRetryStarted, schema::ProviderRetryEnded,
    schema::CompactionStarted, schema::CompactionEnded, schema::OutputCaptured,
    schema::OutputAnomalyObserved, schema::GateOpened, schema::GateDecided,
    schema::ArtifactRecorded, schema::AgentRunEnded, schema::AgentSettled,
    schema::JobCancelRequested, schema::JobReopened, schema::ImportStarted,
    schema::ImportAnomalyFound, schema::ImportFinished, schema::GateCommandRequested,
    schema::GateCommandStarted, schema::GateCommandStopRequested, schema::GateCommandEnded,
    schema::StateDigestRecorded, schema::HookRequested, schema::HookFinished, schema::JobRevised,
    schema::SilenceObserved, schema::SecretFound, schema::ProgressReported, schema::ReportSubmitted,
    schema::ReportRefused, schema::ThrottleChanged, schema::AdmissionDeferred,
    schema::AdmissionGranted, schema::LimitReached, schema::WorktreeRequested,
    schema::WorktreeReady, schema::WorktreeRemoveRequested, schema::WorktreeRemoved,
    schema::WorkspaceObserved, schema::WritesObserved, schema::PatchApplyRequested,
    schema::PatchApplied, schema::RunSealed>;

/// The union's tag of a payload table. A copy on purpose: the generated constant has no address.
template <class Table>
inline constexpr schema::Payload tag_of = schema::PayloadTraits<Table>::enum_value;

namespace detail {
template <class... T>
constexpr bool matches_union(type_list<T...>) {
  std::uint8_t tag = 0;
  return ((static_cast<std::uint8_t>(tag_of<T>) == ++tag) && ...) &&
         tag == static_cast<std::uint8_t>(schema::Payload::MAX);
}
}  // namespace detail

static_assert(detail::matches_union(event_types{}),
              "event_types and union Payload in schemas/events.fbs differ");

/// A native type of one of event_types, e.g. schema::StoreCreatedT.
template <class T>
concept PayloadNative = schema::PayloadUnionTraits<T>::enum_value != schema::Payload::NONE;

/// One payload as a value, of any of the native types; there is always one, but in what was moved
/// from. Not a std::variant of all of them: whatever held an event then compiled the moves and
/// destructors of every type, 20 seconds a file.
class Payload {
 public:
  template <PayloadNative T>
  Payload(T value) {  // NOLINT(google-explicit-constructor): an event is one of its payloads
    value_.Set(std::move(value));
  }

  schema::Payload type() const { return value_.type; }

  /// Null where it is of another type.
  template <PayloadNative T>
  T* as() {
    return is<T>() ? static_cast<T*>(value_.value) : nullptr;
  }
  template <PayloadNative T>
  const T* as() const {
    return is<T>() ? static_cast<const T*>(value_.value) : nullptr;
  }
  template <PayloadNative T>
  bool is() const {
    return type() == schema::PayloadUnionTraits<T>::enum_value;
  }

  flatbuffers::Offset<void> pack(flatbuffers::FlatBufferBuilder& builder) const {
    return value_.Pack(builder);
  }

  friend bool operator==(const Payload& a, const Payload& b) { return a.value_ == b.value_; }

 private:
  schema::PayloadUnion value_;
};

/// Frozen for ever; see schemas/envelope.fbs.
static_assert(sizeof(schema::Stamp) == 40 && alignof(schema::Stamp) == 8);
static_assert(sizeof(schema::Head) == 64 && alignof(schema::Head) == 8);
static_assert(sizeof(schema::BlobRef) == 48 && sizeof(schema::Digest) == 32);

/// Which thing of its stream an event is about. 0 where it does not apply.
struct Subject {
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
  std::uint32_t gate = 0;
  std::uint32_t worker = 0;
  std::uint32_t artifact = 0;
  std::uint32_t message = 0;
  friend bool operator==(const Subject&, const Subject&) = default;
};

/// Why an event happened: the event before it in the chain and the one the chain began with, both
/// in its own stream.
struct Cause {
  Revision causation;
  Revision correlation;
  friend bool operator==(const Cause&, const Cause&) = default;
};

/// An event that is about to be appended.
struct NewEvent {
  Payload payload;
  Subject subject{};
  Cause cause{};
  /// When it happened, where that is not now; wall clock in nanoseconds since 1970. 0: the stamp's
  /// time.
  std::uint64_t occurred_ns = 0;
};

/// An event as stored. Points into its page: valid until the reader that gave it moves on.
struct EventView {
  Sequence sequence;
  const schema::Stamp* stamp = nullptr;
  const schema::Envelope* envelope = nullptr;
  std::span<const std::byte> body;
  EventId id;

  Revision revision() const { return {stamp->revision()}; }
  const schema::Head& head() const { return *envelope->head(); }
  schema::Payload type() const { return envelope->payload_type(); }

  /// False where the event was written by a later version whose type this one has never heard of.
  /// Its body can still be shown with the schema stored in the log.
  bool known() const { return type() > schema::Payload::NONE && type() <= schema::Payload::MAX; }

  /// When it happened: as told by its author, or else when it was written.
  std::uint64_t time_ns() const {
    return head().occurred_ns() != 0 ? head().occurred_ns() : stamp->wall_ns();
  }
};

/// The name of a known event's type as in the schema ("JobFinished"), or "unknown(200)" for others.
std::string_view type_name(schema::Payload type);

namespace detail {
template <class F, class... T>
bool visit_payload(const schema::Envelope& envelope, F&& f, type_list<T...>) {
  using Fn = void (*)(const schema::Envelope&, F&);
  static constexpr Fn table[] = {[](const schema::Envelope& e, F& g) {
    if constexpr (std::is_invocable_v<F&, const T&>) g(*static_cast<const T*>(e.payload()));
    (void)e;
    (void)g;
  }...};
  const auto tag = static_cast<std::size_t>(envelope.payload_type());
  if (tag == 0 || tag > sizeof...(T)) return false;
  table[tag - 1](envelope, f);
  return true;
}
}  // namespace detail

/// Calls `f` with the payload, a `const schema::X&`, if `f` can be called with it. False: the type
/// is unknown here.
template <class F>
bool visit(const EventView& event, F&& f) {
  return detail::visit_payload(*event.envelope, std::forward<F>(f), event_types{});
}

/// The payload as a value, or nothing where the type is unknown.
std::optional<Payload> unpack(const EventView& event);

namespace detail {
template <class R, class F, class First, class... T>
R visit_native(const Payload& payload, F& f, type_list<First, T...>) {
  using N = typename First::NativeTableType;
  if constexpr (sizeof...(T) == 0) {
    return f(*payload.as<N>());
  } else {
    if (const N* native = payload.as<N>()) return f(*native);
    return visit_native<R>(payload, f, type_list<T...>{});
  }
}
}  // namespace detail

/// Calls `f` with the native value; it answers the same type for all of them.
template <class F>
auto visit(const Payload& payload, F&& f) {
  return detail::visit_native<std::invoke_result_t<F&, const schema::StoreCreatedT&>>(
      payload, f, event_types{});
}

/// Several lambdas as one function, for visit().
template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

}  // namespace pievt
