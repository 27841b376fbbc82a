"""`python -m training.algorithms RUN_DIR [--supervised] [--processes N]`: train one run.

Exit status 0 done, 1 failed, 3 cancelled. torchrun and `accelerate launch` may start it too.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from training.algorithms.launching import count_devices, launch
from training.algorithms.threads import share_cores


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.algorithms", description="Train the run described by RUN_DIR/run.json."
    )
    parser.add_argument("run", type=Path, metavar="RUN_DIR")
    parser.add_argument(
        "--supervised", action="store_true", help="end at once when standard input closes, that is when the parent died"
    )
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N", help="share the work among N processes; 0: one for each GPU"
    )
    arguments = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    if arguments.supervised:
        threading.Thread(target=end_with_parent, daemon=True).start()
    count = arguments.processes or count_devices()
    if count > 1:
        return launch([str(arguments.run)], count=count, stop=stop)
    share_cores()
    from training.algorithms.trainer import run_trainer  # after the signal handlers: loading torch takes seconds

    return run_trainer(arguments.run, should_stop=stop.is_set)


def end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
