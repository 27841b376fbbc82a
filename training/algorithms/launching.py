"""Several trainers on one run, started, watched and ended together. Standard library only, but for counting devices.

What torchrun does, with one difference: the exit status is the trainers' own, and a trainer that was killed from
outside kills this process with the same signal, so that whoever started it can tell a cancelled run from a failed one
and a failed one from a machine without memory.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

TICK = 0.1
PARTING = 10.0  # seconds that the others have to end once one of them has failed


def count_devices() -> int:
    """One process for each GPU, and one where there is none."""
    import torch

    return max(1, torch.cuda.device_count())


def launch(arguments: Sequence[str], *, count: int, stop: threading.Event) -> int:
    """Run `python -m training.algorithms ARGUMENTS` `count` times as one run; returns the exit status of them all.

    They end with this process: their standard input closes. `stop` is passed on to each of them, once.
    """
    port = free_port()
    trainers = [start(arguments, rank, count, port) for rank in range(count)]
    try:
        return watch(trainers, stop)
    finally:
        for trainer in trainers:
            trainer.kill()
            trainer.communicate()


def start(arguments: Sequence[str], rank: int, count: int, port: int) -> subprocess.Popen[bytes]:
    ours = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_PORT": port}
    threads = str(max(1, (os.cpu_count() or 1) // count))
    environment = {"OMP_NUM_THREADS": threads, **os.environ, "MASTER_ADDR": "127.0.0.1"}
    return subprocess.Popen(
        [sys.executable, "-m", "training.algorithms", *arguments, "--supervised"],
        stdin=subprocess.PIPE,
        env=environment | {name: str(value) for name, value in ours.items()},
    )


def watch(trainers: Sequence[subprocess.Popen[bytes]], stop: threading.Event) -> int:
    """Wait for all; after a failure the others have PARTING seconds, for they may wait for the one that is gone."""
    asked, left = False, PARTING
    while left > 0 and any(trainer.poll() is None for trainer in trainers):
        if stop.is_set() and not asked:
            asked = True
            for trainer in trainers:
                trainer.terminate()
        if any(trainer.returncode for trainer in trainers):
            left -= TICK
        time.sleep(TICK)
    codes = [code for trainer in trainers if (code := trainer.returncode)]
    killed = next((-code for code in codes if code < 0), None)
    if killed is not None:
        die_of(killed)
    return codes[0] if codes else 0


def die_of(number: int) -> None:
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
