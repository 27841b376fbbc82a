"""How far each person can be trusted, and what is probably true, from answers alone: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_STEPS = 100
ENOUGH = 1e-9  # change of any posterior


def weigh_verdicts(tasks: Integers, people: Integers, verdicts: Integers, *, classes: int) -> tuple[Floats, Floats]:
    """(posterior of each task and verdict (T, K), share each person gets right (P,)) of answers given as three (N,).

    Dawid & Skene 1979 (Applied Statistics 28:20–28) with one number a person: right with probability p, else any other
    verdict alike; verdicts equally likely beforehand. EM from the shares of votes; p is smoothed by one right and one
    wrong answer, so that nobody is ever certain. Left out on purpose: confusion between particular verdicts, which
    a few answers a person cannot tell.
    """
    count, crowd = int(tasks.max()) + 1, int(people.max()) + 1
    cells = tasks * classes + verdicts
    posterior = share(np.bincount(cells, minlength=count * classes).reshape(count, classes).astype(np.float64))
    given = np.bincount(people, minlength=crowd)
    for _ in range(MOST_STEPS):
        right = np.bincount(people, weights=posterior[tasks, verdicts], minlength=crowd)
        skill = (right + 1) / (given + 2)
        gain = np.log(skill) - np.log((1 - skill) / (classes - 1))
        evidence = np.bincount(cells, weights=gain[people], minlength=count * classes).reshape(count, classes)
        before, posterior = posterior, share(np.exp(evidence - evidence.max(axis=1, keepdims=True)))
        if np.abs(posterior - before).max() < ENOUGH:
            break
    return posterior, skill


def share(values: Floats) -> Floats:
    """Each row divided by its sum."""
    return values / values.sum(axis=1, keepdims=True)
