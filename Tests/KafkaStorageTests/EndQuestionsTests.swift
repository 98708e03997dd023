import CRdKafka
import EventStorage
import Testing

@testable import KafkaStorage

@Suite struct EndQuestionsTests {
  private let partitions = (0..<8).map { Partition(.messages, $0) }

  @Test func `all are asked with one question`() {
    var questions = EndQuestions()
    var asked = 0
    let ends = questions.ends(of: partitions, within: .seconds(1)) { some, _ in
      asked += 1
      return some.map { Offset(Int64($0.index)) }
    }
    #expect(asked == 1)
    #expect(
      ends == Dictionary(uniqueKeysWithValues: partitions.map { ($0, Offset(Int64($0.index))) }))
  }

  @Test func `one without a leader does not keep the ends of the others back`() {
    var questions = EndQuestions()
    var asked: [[Partition]] = []
    let lost = partitions[3]
    func ask(_ some: [Partition], _: Duration) throws(KafkaFailure) -> [Offset] {
      asked.append(some)
      if some.contains(lost) { throw KafkaFailure(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) }
      return some.map { Offset(Int64($0.index)) }
    }
    let others = Set(partitions).subtracting([lost])
    #expect(Set(questions.ends(of: partitions, within: .seconds(1), ask).keys) == others)
    #expect(questions.trouble?.contains("LEADER_NOT_AVAILABLE") == true)
    // The next time the others are asked together again, and it is left alone for a while.
    asked = []
    #expect(Set(questions.ends(of: partitions, within: .seconds(1), ask).keys) == others)
    #expect(asked == [others.sorted()])
  }

  @Test func `one that is far away is given more time`() async throws {
    var questions = EndQuestions()
    var given: [Duration] = []
    func ask(_ some: [Partition], _ duration: Duration) throws(KafkaFailure) -> [Offset] {
      given.append(duration)
      if given.count > 1, duration > .milliseconds(150) { return [Offset(7)] }
      throw KafkaFailure(RD_KAFKA_RESP_ERR__TIMED_OUT)
    }
    let one = partitions[0]
    #expect(
      try await eventually {
        questions.ends(of: [one], within: .seconds(1), ask) == [one: Offset(7)]
      })
    #expect(given == [.seconds(1), .milliseconds(200)])
  }

  @Test func `when nobody answers, it is not asked about every partition`() {
    var questions = EndQuestions()
    var asked = 0
    func ask(_ some: [Partition], _: Duration) throws(KafkaFailure) -> [Offset] {
      asked += 1
      throw KafkaFailure(RD_KAFKA_RESP_ERR__TIMED_OUT)
    }
    #expect(questions.ends(of: partitions, within: .seconds(1), ask).isEmpty)
    #expect(asked == 1 + EndQuestions.failuresMax)
    asked = 0
    #expect(questions.ends(of: partitions, within: .seconds(1), ask).isEmpty)
    #expect(asked == 1 + EndQuestions.failuresMax)
  }
}
