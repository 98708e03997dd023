import EventStorage
import PropertyTesting
import Synchronization

/// Appends, fences and writers that are fenced, and what they must be answered.
extension LogLife {
  mutating func append(
    _ batches: [AppendBatch], to partition: Partition, _ choices: inout Choices
  ) async throws {
    if batches.count > 1 { choices.label("burst") }
    for batch in batches { choices.note("append to \(partition): \(text(of: batch))") }
    let answers = await answers(to: batches, in: partition)
    for (batch, answer) in zip(batches, answers) {
      choices.note("  answered \(text(of: answer))")
      switch answer {
      case .success(let appended):
        try change(partition) { model throws(NotHeld) in
          // Of a burst, a repetition may be answered before another of its batches fails.
          if let first = batch.idempotencyKey.flatMap({ model.answer(to: $0) }) {
            return try hold(
              appended.isRepeat && appended.first == first.first,
              "law 18: the same batch was answered \(first), then \(appended)")
          }
          try hold(
            !model.isStopped, "law 15: acknowledged at \(appended.first) after a failure")
          try hold(!appended.isRepeat, "law 18: a new batch was answered as a repetition")
          try hold(model.pending.isEmpty, "law 15: acknowledged behind a batch that failed")
          try model.accept(batch, appended)
        }
      case .failure(let error): try refused(error, batch, partition, &choices)
      }
    }
    try await agree(on: batches, partition, answers)
  }

  /// Submits all before the first is answered.
  private func answers(
    to batches: [AppendBatch], in partition: Partition
  ) async -> [Result<Appended, LogError>] {
    guard batches.count > 1 else {
      do throws(LogError) {
        return [.success(try await log.append(batches[0], to: partition))]
      } catch { return [.failure(error)] }
    }
    let box = Answers(batches.count)
    return await withCheckedContinuation { continuation in
      box.whenComplete { continuation.resume(returning: $0) }
      for (index, batch) in batches.enumerated() {
        log.append(batch, to: partition) { box.set(index, $0) }
      }
    }
  }

  private mutating func refused(
    _ error: LogError, _ batch: AppendBatch, _ partition: Partition, _ choices: inout Choices
  ) throws {
    try hold(isArmed, "law 13: an append was refused though nothing failed: \(error)")
    switch error {
    case .stopped, .full: choices.label("stopped")
    default: try hold(false, "law 15: an append was refused with: \(error)")
    }
    change(partition) { model in
      model.isStopped = true
      // Of two batches under one key one may be there at most.
      let key = batch.idempotencyKey
      let isKnown = key.map { key in
        model.answer(to: key) != nil || model.pending.contains { $0.idempotencyKey == key }
      }
      if isKnown != true { model.pending.append(batch) }
    }
  }

  mutating func retry(in partition: Partition, _ choices: inout Choices) async throws {
    guard let model = models[partition], !model.isStopped, !model.answers.isEmpty else { return }
    let (key, first) = choices.element(of: model.answers)
    choices.label("retry")
    choices.note("append to \(partition) again as \(key)")
    let batch = AppendBatch(
      [NewRecord(key: [0x61], value: [0x21])], timestamp: time, idempotencyKey: key)
    let result = await answers(to: [batch], in: partition)[0]
    switch result {
    case .success(let again):
      try hold(
        again.first == first.first && again.isRepeat,
        "law 18: \(key) was answered \(text(of: result)), and at first \(first.first) to \(first.end)"
      )
      try hold(
        again.end.rawValue >= first.end.rawValue, "law 18: a repetition that ends at \(again.end)")
    case .failure(let error):
      try hold(isArmed, "law 18: a repetition was refused though nothing failed: \(error)")
      // Nothing of it may come.
      change(partition) { $0.isStopped = true }
    }
    try await agree(on: [batch], partition, [result])
  }

  mutating func fence(
    _ id: Int64, in partition: Partition, _ choices: inout Choices
  ) async throws {
    guard models[partition]?.isStopped == false else { return }
    choices.label("fence")
    choices.note("fence writer \(id) in \(partition)")
    let writer: Writer
    do throws(LogError) {
      writer = try await log.fence(writer: id, in: partition)
    } catch {
      try hold(isArmed, "law 16: a fence was refused though nothing failed: \(error)")
      return change(partition) { model in
        model.isStopped = true
        model.doubtful.insert(id)
      }
    }
    let known = models[partition]?.epochs[id]
    try hold(
      writer.id == id && writer.epoch > (known ?? -1),
      "law 16: the life after \(known.map { "\($0)" } ?? "none") of writer \(id) is \(writer)")
    let end = try log.bounds(of: partition).end
    change(partition) { model in
      model.epochs[id] = writer.epoch
      model.doubtful.remove(id)
      model.move(to: end)
    }
    _ = try await memory?.fence(writer: id, in: partition)
  }

  /// A writer of an older life, which does not know that it is fenced.
  mutating func zombie(in partition: Partition, _ choices: inout Choices) async throws {
    guard let model = models[partition], !model.isStopped else { return }
    let fenced = model.epochs.filter { $0.value > 0 && !model.doubtful.contains($0.key) }
    // Without one there soon will be.
    guard !fenced.isEmpty else { return try await fence(1, in: partition, &choices) }
    let id = choices.element(of: fenced.keys.sorted())
    let current = fenced[id] ?? 0
    let writer = Writer(id: id, epoch: current - Int16(choices.int(in: 1...Int(current))))
    let key =
      model.answers.isEmpty || !choices.bool() ? nil : choices.element(of: model.answers).key
    let batch = AppendBatch(
      [NewRecord(key: [0x61], value: Array("zombie".utf8))], timestamp: time, idempotencyKey: key,
      writer: writer)
    choices.label("zombie")
    choices.note("append to \(partition): \(text(of: batch)) by \(writer), which is fenced")
    let result = await answers(to: [batch], in: partition)[0]
    switch result {
    case .failure(.fenced(writer, current)): break
    case .failure(let error):
      try hold(isArmed, "law 16: writer \(writer) was refused with: \(error)")
      change(partition) { $0.isStopped = true }
    case .success(let appended):
      try hold(false, "law 16: writer \(writer) is fenced by \(current), and wrote at \(appended)")
    }
    try await agree(on: [batch], partition, [result])
  }

  /// Law 17: memory answers the same.
  private func agree(
    on batches: [AppendBatch], _ partition: Partition, _ answers: [Result<Appended, LogError>]
  ) async throws {
    guard let memory else { return }
    for (batch, answer) in zip(batches, answers) {
      let other: Result<Appended, LogError>
      do throws(LogError) {
        other = .success(try await memory.append(batch, to: partition))
      } catch { other = .failure(error) }
      switch (answer, other) {
      case (.success(let one), .success(let two)):
        try hold(one.isRepeat, equals: two.isRepeat, "law 17: whether a batch is a repetition")
      case (.failure(let one), .failure(let two)): try hold(one, equals: two, "law 17: a refusal")
      default:
        try hold(
          false, "law 17: answered \(text(of: answer)), and in memory \(text(of: other))")
      }
    }
  }

  mutating func change<Failure: Error>(
    _ partition: Partition, _ body: (inout PartitionModel) throws(Failure) -> Void
  ) throws(Failure) {
    var model = models[partition] ?? PartitionModel()
    defer { models[partition] = model }
    try body(&model)
  }

  private func text(of batch: AppendBatch) -> String {
    batch.records.map(readable).joined(separator: ", ")
      + (batch.idempotencyKey.map { ", as \($0)" } ?? "")
  }

  private func text(of answer: Result<Appended, LogError>) -> String {
    switch answer {
    case .success(let appended):
      "\(appended.first) to \(appended.end)" + (appended.isRepeat ? ", as before" : "")
    case .failure(let error): "\(error)"
    }
  }
}

/// The answers to a burst, from whatever threads they come.
private final class Answers: Sendable {
  private struct State {
    var answers: [Result<Appended, LogError>?]
    var done: (@Sendable ([Result<Appended, LogError>]) -> Void)?
  }

  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(answers: Array(repeating: nil, count: count))) }

  /// Must be called before the first answer.
  func whenComplete(_ done: @escaping @Sendable ([Result<Appended, LogError>]) -> Void) {
    state.withLock { $0.done = done }
  }

  func set(_ index: Int, _ answer: Result<Appended, LogError>) {
    let complete = state.withLock { state in
      state.answers[index] = answer
      let answers = state.answers.compactMap(\.self)
      return answers.count == state.answers.count ? (state.done, answers) : nil
    }
    if let (done, answers) = complete { done?(answers) }
  }
}
