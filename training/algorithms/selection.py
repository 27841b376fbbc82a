"""What choosing the best of n responses costs. Standard library only: the site shows it."""

from math import log


def best_of_n_kl(n: int) -> float:
    """KL of best-of-n from the policy it samples, in nats: log n − (n − 1)/n (Stiennon et al. 2020, appendix G.3).

    An upper bound where responses can coincide (Beirami et al. 2024). By hand, n = 4: 1.38629 − 0.75 = 0.63629.
    """
    if n < 1:
        raise ValueError(f"n is {n}: it must be at least 1.")
    return log(n) - (n - 1) / n
