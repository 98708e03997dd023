import EventStorage
import Events
import SwiftProtobuf

/// The events of the replay benchmarks: the same ones in every run, on every machine.
///
/// Of a hundred, 90 are messages of 100 bytes on one of the channels, 8 load reports, one a node status and one a slot route.
struct SyntheticEvents {
  static let nodes = 64
  /// 2024-01-01T00:00:00Z.
  static let start: Int64 = 1_704_067_200_000

  let channels: Int
  private var state: UInt64
  private var number: Int64 = 0

  init(seed: UInt64, channels: Int) {
    state = seed
    self.channels = channels
  }

  /// The next events; a thousand of them take a second of log time.
  mutating func batch(of count: Int) -> AppendBatch {
    let records = (0..<count).map { _ in next() }
    return AppendBatch(records, timestamp: SyntheticEvents.start + number)
  }

  /// Messages alone, as a publisher sends them.
  mutating func messages(_ count: Int) -> AppendBatch {
    let records = (0..<count).map { _ in message() }
    return AppendBatch(records, timestamp: SyntheticEvents.start + number)
  }

  private mutating func next() -> NewRecord {
    switch random() % 100 {
    case 0..<90: message()
    case 90..<98: loadReport()
    case 98: nodeStatus()
    default: slotRoute()
    }
  }

  private mutating func message() -> NewRecord {
    number += 1
    let channel = Int(random() % UInt64(channels))
    var key = Array("channel/".utf8)
    appendDigits(channel, width: 6, to: &key)
    key += [0, UInt8(ascii: "k")]
    let message = Message(
      id: identifier(), contentType: "application/json", data: payload())
    return NewRecord(key: key, value: message.encoded)
  }

  /// 100 bytes of JSON as a device sends them: names that repeat and digits that do not.
  private mutating func payload() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(100)
    var bits = random()
    for character in SyntheticEvents.template.utf8 {
      guard character == UInt8(ascii: "#") else {
        bytes.append(character)
        continue
      }
      bytes.append(UInt8(ascii: "0") + UInt8(bits % 10))
      bits /= 10
      if bits < 10 { bits = random() }
    }
    return bytes
  }

  private static let template =
    #"{"device":"d-####","lat":52.######,"lon":13.######,"speed":###.###,"fuel":0.######,"at":17040######}"#

  private mutating func loadReport() -> NewRecord {
    number += 1
    let report = WireLoadReported.with {
      $0.incarnation = 1
      $0.inFlight = UInt32(random() % 200)
      $0.latencyUs = UInt32(random() % 20_000)
      $0.capacity = 100
    }
    return record(nodeName(), .with { $0.loadReported = report })
  }

  private mutating func nodeStatus() -> NewRecord {
    number += 1
    let status = WireNodeStatus.with {
      $0.state = .up
      $0.incarnation = 1 + random() % 4
      $0.capacity = 100
      $0.url = "http://10.0.0.1:8080"
    }
    return record("node/" + nodeName(), .with { $0.nodeStatus = status })
  }

  private mutating func slotRoute() -> NewRecord {
    number += 1
    let route = WireSlotRoute.with {
      $0.node = nodeName()
      $0.epoch = UInt64(number)
    }
    return record("slot/\(random() % UInt64(Slot.count))", .with { $0.slotRoute = route })
  }

  private func record(_ key: String, _ event: WireEvent) -> NewRecord {
    let value: [UInt8]? = try? event.serializedBytes()
    return NewRecord(key: Array(key.utf8), value: value ?? [])
  }

  private mutating func nodeName() -> String { "node-\(random() % UInt64(SyntheticEvents.nodes))" }

  /// SplitMix64: written down here because the library's generators may change.
  private mutating func random() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  /// 26 characters, as the ids of messages are: ten that tell the time, sixteen that tell nothing.
  private mutating func identifier() -> String {
    var text: [UInt8] = []
    text.reserveCapacity(26)
    var time = UInt64(SyntheticEvents.start + number / 1000) << 2
    for _ in 0..<10 {
      text.append(SyntheticEvents.alphabet[Int(time >> 45 & 31)])
      time <<= 5
    }
    for _ in 0..<2 {
      var bits = random()
      for _ in 0..<8 {
        text.append(SyntheticEvents.alphabet[Int(bits & 31)])
        bits >>= 5
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  private func appendDigits(_ value: Int, width: Int, to bytes: inout [UInt8]) {
    let digits = String(value).utf8
    bytes += repeatElement(UInt8(ascii: "0"), count: max(0, width - digits.count))
    bytes += digits
  }
}
