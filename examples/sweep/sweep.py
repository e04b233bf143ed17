"""From which rate of infection on is there an epidemic, and what do vaccinations change?

`python sweep.py` runs it, and `python sweep.py 0.055 0.3` adds rates to the sweep.
"""

import sys

import joblib
from epidemic import in_short, outbreak

import gitmemo as gm
from gitmemo.errors import CallsFailed

storage = gm.open()
RATES = [0.03, 0.04, 0.05, 0.06, 0.08, 0.1]
SEEDS = range(8)


def sweep(rates):
    """Return the points that could be computed, with what came of them."""
    points = [(rate, seed) for rate in rates for seed in SEEDS]
    try:
        return points, storage.starmap(outbreak, points)
    except CallsFailed as failed:
        for rate in sorted({points[number][0] for number in failed.positions}):
            print(f"no outbreaks at {rate}: {failed.exceptions[0]}")
        points = [point for n, point in enumerate(points) if n not in failed.positions]
        return points, storage.starmap(outbreak, points)  # they are stored


def threshold(shares, steps=5):
    """Find, for each share of vaccinated people, the rate at which half of the outbreaks are large."""
    between = dict.fromkeys(shares, (0.0, 0.4))
    with storage.batch():
        for _ in range(steps):
            middle = {share: (low + high) / 2 for share, (low, high) in between.items()}
            large = {}
            for share, rate in middle.items():
                found = [outbreak(rate, seed, vaccinated=share) for seed in range(5)]
                large[share], _ = in_short([attack for attack, _ in found])
            for share, rate in middle.items():  # only now somebody waits
                low, high = between[share]
                between[share] = (low, rate) if large[share].unwrap() > 0.5 else (rate, high)
    return {share: sum(ends) / 2 for share, ends in between.items()}


def main():
    rates = RATES + [float(rate) for rate in sys.argv[1:]]
    with storage:
        points, results = sweep(rates)
        print("rate   large outbreaks   people reached")
        attacks_at = {}
        for (rate, _), (attack, _) in zip(points, results, strict=True):
            attacks_at.setdefault(rate, []).append(attack)
        for rate, attacks in sorted(attacks_at.items()):
            large, reached = storage.unwrap(in_short(attacks))
            print(f"{rate:<6} {large:>15.0%} {reached:>16.0%}")
        for share, rate in threshold([0.0, 0.3, 0.6]).items():
            print(f"with {share:.0%} vaccinated, epidemics begin at a rate of {rate:.2f}")


if __name__ == "__main__":
    with joblib.parallel_config("loky", n_jobs=2):
        main()
