/// Memory for entries in pages, counted in words of eight bytes. A reference is a page and a word in it; 0 is nowhere.
///
/// Freed blocks are used again for blocks of the same size; the owner rebuilds an arena when too much of it is free.
struct Arena {
  /// Words of a page.
  static let pageWords = 32_768
  /// References have 17 bits for the page: 32 GiB of small messages, or this many large ones.
  static let pagesMax = 1 << 17
  /// A larger block has a page of its own.
  private static let ownPageWordsMin = pageWords / 4
  /// Blocks up to this many words find a freed one of their size.
  private static let listedWordsMax = 512

  private var table = PageTable()
  private var sizes: [Int] = []
  private var used: [Int] = []
  private var freed: [[UInt32]] = Array(repeating: [], count: listedWordsMax + 1)
  /// Pages that were given back; their numbers are used again.
  private var absent: [Int] = []
  private var current = -1
  /// Words of blocks in shared pages that were freed and not used again, and of all pages.
  private var freeWords = 0
  private var pageWords = 0

  func deallocate() {
    for page in sizes.indices { table[page]?.deallocate() }
    table.deallocate()
  }

  func copy() -> Arena {
    var copy = self
    copy.table = PageTable()
    for page in sizes.indices {
      let words = table[page].map { source in
        let words = UnsafeMutableRawPointer.allocate(byteCount: sizes[page] * 8, alignment: 8)
        words.copyMemory(from: source, byteCount: sizes[page] * 8)
        return words
      }
      copy.table.append(words)
    }
    return copy
  }

  /// Finds blocks by their references. Valid until the next `allocate`.
  var pages: PageTable { table }

  var memoryBytes: Int {
    pageWords * 8 + freed.reduce(0) { $0 + $1.capacity * 4 } + sizes.capacity * 32
      + absent.capacity * 8
  }

  /// More than a quarter was freed, and it is worth a walk. After a rebuild nothing is, so one walk pays for the next.
  var isWasteful: Bool { freeWords * 4 > pageWords && pageWords > 2 * Arena.pageWords }

  @inline(__always)
  func pointer(_ reference: UInt32) -> UnsafeMutableRawPointer { table.pointer(reference) }

  mutating func allocate(words: Int) -> UInt32 {
    if sizes.isEmpty {
      // The first word is nobody's, so that no reference is 0.
      current = addPage(words: Arena.pageWords, used: 1)
    }
    if words <= Arena.listedWordsMax, let reference = freed[words].popLast() {
      freeWords -= words
      return reference
    }
    if words > Arena.ownPageWordsMin { return UInt32(addPage(words: words, used: words)) << 15 }
    if used[current] + words > sizes[current] {
      current = addPage(words: Arena.pageWords, used: 0)
    }
    defer { used[current] += words }
    return UInt32(current) << 15 | UInt32(used[current])
  }

  mutating func free(_ reference: UInt32, words: Int) {
    if words > Arena.ownPageWordsMin {
      let page = Int(reference >> 15)
      table[page]?.deallocate()
      table[page] = nil
      pageWords -= sizes[page]
      sizes[page] = 0
      absent.append(page)
      return
    }
    freeWords += words
    if words <= Arena.listedWordsMax { freed[words].append(reference) }
  }

  private mutating func addPage(words: Int, used: Int) -> Int {
    pageWords += words
    let memory = UnsafeMutableRawPointer.allocate(byteCount: words * 8, alignment: 8)
    if let page = absent.popLast() {
      table[page] = memory
      sizes[page] = words
      self.used[page] = used
      return page
    }
    precondition(sizes.count < Arena.pagesMax, "\(sizes.count) pages of messages in a partition")
    table.append(memory)
    sizes.append(words)
    self.used.append(used)
    return sizes.count - 1
  }
}

/// Where pages begin; one that was given back is nil. A plain pointer, so that looking at it counts nothing.
struct PageTable {
  private var pages: UnsafeMutablePointer<UnsafeMutableRawPointer?> = .allocate(capacity: 8)
  private var capacity = 8
  private var count = 0

  func deallocate() { pages.deallocate() }

  subscript(page: Int) -> UnsafeMutableRawPointer? {
    get { pages[page] }
    nonmutating set { pages[page] = newValue }
  }

  mutating func append(_ page: UnsafeMutableRawPointer?) {
    if count == capacity {
      let grown = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: capacity * 2)
      grown.moveInitialize(from: pages, count: count)
      pages.deallocate()
      pages = grown
      capacity *= 2
    }
    (pages + count).initialize(to: page)
    count += 1
  }

  @inline(__always)
  func pointer(_ reference: UInt32) -> UnsafeMutableRawPointer {
    // Every reference was made by `Arena.allocate`, so its page is there.
    pages[Int(reference >> 15)].unsafelyUnwrapped + Int(reference & 32_767) * 8
  }
}
