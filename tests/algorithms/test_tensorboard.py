"""The TensorBoard file: checksums, and every figure of the run's events once, also after a resume."""

import struct
from pathlib import Path

from training.algorithms.events import EventWriter, keep_events_until
from training.algorithms.tensorboard import FILE, checksum, crc32c, varint


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    """(step, tag, value) of each scalar, read by the format's own rules; every checksum holds."""
    data, found = (folder / "tensorboard" / FILE).read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        assert data[8:12] == checksum(data[:8])
        event, data = data[12 : 12 + length], data[12 + length :]
        assert data[:4] == checksum(event)
        data = data[4:]
        fields = dict(parse(event))
        for _, value in parse(fields.get(5, b"")):
            inner = dict(parse(value))
            found.append((fields[2], inner[1].decode(), struct.unpack("<f", inner[2])[0]))
    return found


def parse(message: bytes):
    """(field, value) of a protocol buffer."""
    while message:
        tag, message = read_varint(message)
        field, wire = tag >> 3, tag & 7
        if wire == 0:
            value, message = read_varint(message)
        else:
            size, message = (8, message) if wire == 1 else (4, message) if wire == 5 else read_varint(message)
            value, message = message[:size], message[size:]
        yield field, value


def read_varint(message: bytes) -> tuple[int, bytes]:
    size = next(place for place, byte in enumerate(message) if byte < 128) + 1
    return sum((byte & 127) << 7 * place for place, byte in enumerate(message[:size])), message[size:]


def test_the_checksum_is_castagnolis():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


def test_numbers_of_several_bytes():
    assert [varint(value) for value in (0, 127, 128, 300)] == [b"\x00", b"\x7f", b"\x80\x01", b"\xac\x02"]


def test_figures_are_told_once_each_also_by_a_run_that_resumes(tmp_path):
    path = tmp_path / "events.jsonl"
    events = EventWriter(path)
    events.write("start", 0, {"total_steps": 3})
    events.write("eval", 0, {"loss": 0.75, "by_strength": {}, "margin": float("nan")})
    events.write("train", 1, {"loss": 0.5})
    events.write("checkpoint", 1, {"path": "x"})
    events.write("train", 300, {"loss": 0.25})
    events.close()
    assert scalars(tmp_path)[0] == (0, "eval/loss", 0.75)
    assert scalars(tmp_path)[1:] == [(1, "train/loss", 0.5), (300, "train/loss", 0.25)]
    keep_events_until(path, 1)
    resumed = EventWriter(path)
    resumed.write("train", 2, {"loss": 0.125})
    resumed.close()
    assert scalars(tmp_path) == [(0, "eval/loss", 0.75), (1, "train/loss", 0.5), (2, "train/loss", 0.125)]
