"""The smallest difference that a number of prompts can detect."""

from __future__ import annotations

from math import sqrt

from scipy.optimize import brentq
from scipy.stats import norm


def minimum_detectable_difference(
    pairs: int, discordant: float, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """Smallest true difference of two paired proportions that a McNemar test detects with the given power.

    Solves the sample-size formula of Connor (Biometrics 43, 1987, doi:10.2307/2531961),
    ``sqrt(n) * d = z(1 - alpha/2) * sqrt(psi) + z(power) * sqrt(psi - d**2)``, for ``d``. A difference
    is never larger than the share of pairs that differ. If the formula needs more, ``psi`` is set to ``d``, as if all
    changes went in one direction.

    Args:
        pairs: Number of prompts that both runs answered.
        discordant: ``psi``, the share of pairs whose outcomes differ, between 0 and 1.
        alpha: Two-sided significance level.
        power: Probability of detecting the difference.

    Returns:
        A share between 0 and 1; None if even a change of every outcome would not be detected.

    Raises:
        ValueError: ``discordant`` is not between 0 and 1.
    """
    if not 0 <= discordant <= 1:
        raise ValueError(f"discordant: found {discordant}; allowed: 0 to 1")
    if pairs < 1:
        return None
    z_alpha, z_power = norm.ppf(1 - alpha / 2), norm.ppf(power)

    def lacking(d: float) -> float:
        psi = max(discordant, d)
        return float(z_alpha * sqrt(psi) + z_power * sqrt(psi - d * d) - sqrt(pairs) * d)

    return None if lacking(1.0) > 0 else float(brentq(lacking, 1e-9, 1.0))
