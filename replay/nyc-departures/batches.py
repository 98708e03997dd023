"""Writes records as Kafka record batches: magic 2, LZ4, CRC32C.

A batch is a 61 byte header and its records; the CRC covers everything after itself:

    baseOffset 8 | length 4 | leaderEpoch 4 | magic 1 | crc 4 | attributes 2 | lastOffsetDelta 4
    | baseTimestamp 8 | maxTimestamp 8 | producerId 8 | producerEpoch 2 | baseSequence 4 | count 4
    | records, one LZ4 frame
"""

import struct
from collections.abc import Iterable, Iterator

import crc32c
import lz4.frame

RECORDS_MAX = 1000
RECORD_BYTES_MAX = 1 << 20
MAGIC = 2
ATTRIBUTES_LZ4_CREATE_TIME = 3
BYTES_AFTER_LENGTH_BEFORE_CRC = 5


def varint(number: int) -> bytes:
    """An unsigned number, seven bits to a byte, lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def signed_varint(number: int) -> bytes:
    """A signed number in zigzag form."""
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def nullable(content: bytes | None) -> bytes:
    """A length and that many bytes; null is the length -1."""
    return signed_varint(-1) if content is None else signed_varint(len(content)) + content


def encode_record(offset_delta: int, time_delta: int, key: bytes, value: bytes | None) -> bytes:
    """One record without headers, behind its own length."""
    body = b"".join((
        b"\x00", signed_varint(time_delta), signed_varint(offset_delta),
        nullable(key), nullable(value), signed_varint(0)))
    return signed_varint(len(body)) + body


def encode_batch(base_offset: int, records: list[bytes], first_ms: int, max_ms: int) -> bytes:
    """One batch. Blocks are independent: Kafka's Java readers refuse linked ones."""
    frame = lz4.frame.compress(
        b"".join(records), compression_level=lz4.frame.COMPRESSIONLEVEL_MAX, block_linked=False,
        block_size=lz4.frame.BLOCKSIZE_MAX1MB, store_size=False)
    checked = struct.pack(
        ">hiqqqhii", ATTRIBUTES_LZ4_CREATE_TIME, len(records) - 1, first_ms, max_ms, -1, -1, -1,
        len(records)) + frame
    length = BYTES_AFTER_LENGTH_BEFORE_CRC + struct.calcsize(">I") + len(checked)
    return struct.pack(
        ">qiibI", base_offset, length, 0, MAGIC, crc32c.crc32c(checked)) + checked


def batches(records: Iterable[tuple[int, bytes, bytes | None]]) -> Iterator[bytes]:
    """Batches of (time in ms, key, value), offsets from 0; times must not decrease."""
    base_offset, first_ms, last_ms = 0, 0, 0
    encoded: list[bytes] = []
    encoded_bytes = 0
    for time_ms, key, value in records:
        if not encoded:
            first_ms = time_ms
        record = encode_record(len(encoded), time_ms - first_ms, key, value)
        if len(encoded) == RECORDS_MAX or encoded_bytes + len(record) > RECORD_BYTES_MAX:
            yield encode_batch(base_offset, encoded, first_ms, last_ms)
            base_offset += len(encoded)
            encoded, encoded_bytes, first_ms = [], 0, time_ms
            record = encode_record(0, 0, key, value)
        encoded.append(record)
        encoded_bytes += len(record)
        last_ms = time_ms
    if encoded:
        yield encode_batch(base_offset, encoded, first_ms, last_ms)
