import Glibc

/// The time of day, as milliseconds since 1970 and as text. No Foundation: it is on the hot path.
package enum WallClock {
  static func milliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }

  /// `2013-01-31T17:05:00.000Z` (RFC 3339).
  package static func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
    let date = CalendarDate(milliseconds: milliseconds)
    appendDigits(date.year, 4, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendDigits(date.month, 2, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendDigits(date.day, 2, to: &bytes)
    bytes.append(UInt8(ascii: "T"))
    date.appendTime(to: &bytes)
    bytes.append(UInt8(ascii: "."))
    appendDigits(date.millisecond, 3, to: &bytes)
    bytes.append(UInt8(ascii: "Z"))
  }

  /// `Thu, 31 Jan 2013 17:05:00 GMT` (RFC 9110), for the Date header.
  package static func httpDate(_ milliseconds: Int64) -> String {
    let date = CalendarDate(milliseconds: milliseconds)
    var bytes = Array("\(weekdays[date.weekday]), ".utf8)
    appendDigits(date.day, 2, to: &bytes)
    bytes += " \(months[date.month - 1]) ".utf8
    appendDigits(date.year, 4, to: &bytes)
    bytes.append(UInt8(ascii: " "))
    date.appendTime(to: &bytes)
    bytes += " GMT".utf8
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}

/// A moment in the proleptic Gregorian calendar, UTC. Years outside 0...9999 are shown as the nearest of them.
private struct CalendarDate {
  var year: Int
  var month: Int
  var day: Int
  var weekday: Int
  var secondOfDay: Int
  var millisecond: Int

  init(milliseconds: Int64) {
    let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
    let seconds = Int(clamped.flooredQuotient(1000))
    millisecond = Int(clamped) - seconds * 1000
    let days = seconds.flooredQuotient(86_400)
    secondOfDay = seconds - days * 86_400
    weekday = (days + 4) - (days + 4).flooredQuotient(7) * 7
    // Years begin in March, so that the leap day is the last of its year; eras have 400 years.
    let shifted = days + 719_468
    let era = shifted.flooredQuotient(146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  func appendTime(to bytes: inout [UInt8]) {
    appendDigits(secondOfDay / 3600, 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendDigits(secondOfDay / 60 % 60, 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendDigits(secondOfDay % 60, 2, to: &bytes)
  }
}

private func appendDigits(_ number: Int, _ count: Int, to bytes: inout [UInt8]) {
  var divisor = 1
  for _ in 1..<count { divisor *= 10 }
  while divisor > 0 {
    bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
    divisor /= 10
  }
}

extension BinaryInteger {
  fileprivate func flooredQuotient(_ divisor: Self) -> Self {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
