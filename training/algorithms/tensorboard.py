"""A run's figures as a TensorBoard event file, written without TensorBoard.

The format: records of length, checksum of the length, bytes, checksum of the bytes (TFRecord, masked CRC-32C); the
bytes are an `Event` message of tensorflow/core/util/event.proto with wall time, step and a summary of scalars.
"""

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

KINDS = ("train", "eval")
FILE = "events.out.tfevents.0.plumbline"


class EventFile:
    """Begins with the events given, those that a resumed run keeps, so that the file never tells a step twice."""

    def __init__(self, folder: Path, events: Iterable[Mapping[str, Any]]) -> None:
        folder.mkdir(exist_ok=True)
        self.file = (folder / FILE).open("wb")
        self.file.write(record(double(1, 0.0) + text(3, "brain.Event:2")))
        for event in events:
            self.add(event)

    def add(self, event: Mapping[str, Any]) -> None:
        """Append the numbers of a training step or an evaluation, each as `kind/name`."""
        values = {name: value for name, value in event["data"].items() if isinstance(value, int | float)}
        if event["kind"] in KINDS:
            scalars = b"".join(
                block(1, text(1, f"{event['kind']}/{name}") + single(2, float(value))) for name, value in values.items()
            )
            self.file.write(record(double(1, event["at"]) + key(2, 0) + varint(event["step"]) + block(5, scalars)))
            self.file.flush()

    def close(self) -> None:
        self.file.close()


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + checksum(length) + data + checksum(data)


def checksum(data: bytes) -> bytes:
    """CRC-32C, rotated and shifted as TFRecord wants it."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def crc32c(data: bytes) -> int:
    """Castagnoli's polynomial, reflected. By hand (RFC 3720): "123456789" -> 0xE3069283."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def table_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


TABLE = [table_entry(byte) for byte in range(256)]


def key(field: int, wire: int) -> bytes:
    """A protocol buffer's tag: the field's number and how its value is written."""
    return varint(field << 3 | wire)


def varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def double(field: int, value: float) -> bytes:
    return key(field, 1) + struct.pack("<d", value)


def single(field: int, value: float) -> bytes:
    return key(field, 5) + struct.pack("<f", value)


def block(field: int, data: bytes) -> bytes:
    return key(field, 2) + varint(len(data)) + data


def text(field: int, value: str) -> bytes:
    return block(field, value.encode())
