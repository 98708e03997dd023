/// The type of an event: the number of the field that is set in `Event` (schemas/signalbox/v1/events.proto).
public enum EventType: UInt8, CaseIterable, Sendable {
  case messagePublished = 1
  case nodeStatus = 2
  case slotRoute = 3
  case clusterSettings = 4
  case deliveryCursor = 5
  case beatObserved = 6
  case joinRequested = 7
  case leaveRequested = 8
  case loadReported = 9
  case deliveryReported = 10
  case timePassed = 11
}
