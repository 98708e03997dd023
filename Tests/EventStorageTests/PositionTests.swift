import EventStorage
import Testing

@Suite struct PositionTests {
  private static let log = LogIdentity(0x0123_4567_89ab_cdef)

  /// Tokens as another language computes them from the comment of `Position.token`.
  private static let golden: [(Position, String)] = [
    (Position(log: LogIdentity(0), offsets: [:]), "AQAAAAAAAAAA"),
    (Position(log: log, offsets: [Partition(.messages, 0): .zero]), "Ae_Nq4lnRSMBAgAA"),
    (
      Position(
        log: log,
        offsets: [
          Partition(.deliveries, 7): Offset(.max), Partition(.messages, 255): Offset(300),
          Partition(.observations, 1): Offset(127), Partition(.topology, 0): Offset(128),
        ]),
      "Ae_Nq4lnRSMBAAF_AQCAAQL_AawCAwf__________38"
    ),
    (
      Position(log: LogIdentity(.max), offsets: [Partition(.messages, 0): Offset(1 << 31)]),
      "Af__________AgCAgICACA"
    ),
  ]

  @Test(arguments: golden)
  func `a token never changes, and is read back`(_ position: Position, _ token: String) throws {
    #expect(position.token == token)
    #expect(try Position(token: token) == position)
  }

  @Test func `every partition of the widest layout is read back`() throws {
    let layout = LogLayout(partitions: LogLayout.partitionsMax)
    for topic in Topic.allCases {
      let offsets = layout.partitions(of: topic).map { ($0, Offset(.max - Int64($0.index))) }
      let position = Position(log: Self.log, offsets: Dictionary(uniqueKeysWithValues: offsets))
      #expect(position.token.utf8.count <= Position.tokenBytesMax)
      #expect(try Position(token: position.token) == position)
    }
  }

  @Test(arguments: golden.map(\.1))
  func `a token that is cut short is refused or says less`(_ token: String) throws {
    let whole = try Position(token: token)
    for length in 0..<token.utf8.count {
      let cut = String(token.prefix(length))
      do {
        let position = try Position(token: cut)
        // Cut between two partitions, it is a shorter position, and never a different one.
        #expect(position.log == whole.log)
        #expect(position.offsets.count < whole.offsets.count)
        for (partition, offset) in position.sorted { #expect(whole[partition] == offset) }
      } catch {
        #expect(error == .malformed, "\(cut)")
      }
    }
  }

  @Test func `a token of a later version is told from a broken one`() {
    for version in UInt8.min...UInt8.max where version != 1 {
      let token = Base64URL.encode([version] + [UInt8](repeating: 0, count: 8))
      #expect(throws: TokenFailure.unknownVersion(version)) { try Position(token: token) }
    }
    #expect(throws: TokenFailure.unknownVersion(2)) { try Position(token: "Ag") }
  }

  @Test func `a token at the limit is read, and one byte more is not`() {
    let longest = String(repeating: "A", count: Position.tokenBytesMax)
    #expect(throws: TokenFailure.unknownVersion(0)) { try Position(token: longest) }
    #expect(throws: TokenFailure.tooLong) { try Position(token: longest + "A") }
  }

  @Test(
    arguments: [
      ("no bytes", []),
      ("a topic that does not exist", [4, 0, 0]),
      ("a partition that does not exist", [2, 0x80, 2, 0]),
      ("a partition twice", [2, 0, 1, 2, 0, 1]),
      ("an offset of 64 bits", [2, 0] + [UInt8](repeating: 0xff, count: 9) + [1]),
      ("a varint without an end", [2, 0] + [UInt8](repeating: 0x80, count: 20)),
      ("a partition without an offset", [2, 0]),
    ] as [(String, [UInt8])])
  func `bytes that are no position are refused`(_ what: String, _ rest: [UInt8]) {
    let token = rest.isEmpty ? "" : Base64URL.encode([1, 0, 0, 0, 0, 0, 0, 0, 0] + rest)
    #expect(throws: TokenFailure.malformed, "\(what)") { try Position(token: token) }
  }

  @Test func `flipping a bit never traps, and never gives the same position`() throws {
    for (position, token) in Self.golden {
      let bytes = try #require(Base64URL.decode(token))
      for bit in 0..<bytes.count * 8 {
        var flipped = bytes
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect((try? Position(token: Base64URL.encode(flipped))) != position)
      }
    }
  }

  @Test func `a position lists its partitions in order`() {
    #expect(
      Self.golden[2].0.sorted.map { "\($0.partition) \($0.offset)" } == [
        "observations/1 127", "topology/0 128", "messages/255 300",
        "deliveries/7 9223372036854775807",
      ])
  }
}
