"""How torch's threads wait for each other on a CPU."""

import os

SPINS = "1000"  # some 25 µs


def share_cores() -> None:
    """Have waiting threads look again for a moment and then sleep; to be called before torch is imported.

    Threads that sleep at once (OMP_WAIT_POLICY=passive) cost a trainer that has the machine to itself a third of its
    speed; threads that spin as long as OpenMP lets them slow two jobs on the same cores down four times and more
    (docs/performance.md). Whoever set either variable keeps it: `active` is best for a machine that only trains.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        os.environ.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT=SPINS)
