"""What it is worth to ask a person about a pair, given what a model believes of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(32)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(values / 2)))


def entropy(chances: Floats) -> Floats:
    """Nats of a yes or no. 0 at 0 and 1, ln 2 at ½."""
    inside = np.clip(chances, 1e-12, 1 - 1e-12)
    return -(inside * np.log(inside) + (1 - inside) * np.log(1 - inside))


def win_chance(mean: Floats, deviation: Floats) -> Floats:
    """P(first beats second) where the difference of their rewards is N(mean, deviation²): E σ(d). All (n,)."""
    return np.asarray(sigmoid(mean[:, None] + deviation[:, None] * NODES) @ WEIGHTS)


def information_gain(mean: Floats, deviation: Floats) -> Floats:
    """Nats that one answer is expected to tell about the rewards: H(E σ(d)) − E H(σ(d)), d ~ N(mean, deviation²).

    Bradley–Terry's answer to a pair is the only noise (Houlsby et al. 2011, "BALD"); the expectations by
    Gauss–Hermite quadrature with 32 nodes. 0 where nothing is uncertain; ln 2 for a difference surely huge and of
    unknown sign. (n,), (n,) -> (n,)
    """
    sampled = sigmoid(mean[:, None] + deviation[:, None] * NODES)
    return np.maximum(entropy(sampled @ WEIGHTS) - entropy(sampled) @ WEIGHTS, 0.0)


def difference(first: Floats, second: Floats, *, temperature: float) -> tuple[float, float]:
    """Mean and standard deviation over the heads of (first − second) / temperature; each (H,). One head has no spread.

    The heads share their trunk, so the spread of the difference is taken head by head, not added up from both.
    """
    gaps = (first - second) / temperature
    return float(gaps.mean()), float(gaps.std(ddof=1)) if len(gaps) > 1 else 0.0
