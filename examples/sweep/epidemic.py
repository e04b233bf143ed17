"""An epidemic among people who meet at random, one day after the other."""

import numpy as np

import gitmemo as gm

CONTACTS = 5
"""How many people somebody who is ill meets on a day."""
RECOVERY = 0.25
"""The share of those who are ill that recovers in a day: people are ill for four days."""
SUSCEPTIBLE, ILL, IMMUNE = 0, 1, 2


def next_day(people, rate, rng):
    """Let people meet, infect each other, and recover."""
    ill = np.flatnonzero(people == ILL)
    met = rng.integers(len(people), size=len(ill) * CONTACTS)
    caught = met[(people[met] == SUSCEPTIBLE) & (rng.random(len(met)) < rate)]
    people[ill[rng.random(len(ill)) < RECOVERY]] = IMMUNE
    people[caught] = ILL


@gm.op(output_names=["attack", "peak"])
def outbreak(rate, seed, vaccinated=0.0, size=5_000):
    """Return which share of those who could fall ill did, and which share was ill at the worst moment."""
    if not 0 <= rate <= 1:
        raise ValueError(f"a rate is a probability, not {rate}")
    rng = np.random.default_rng(seed)
    people = np.full(size, SUSCEPTIBLE)
    people[: round(vaccinated * size)] = IMMUNE
    people[-10:] = ILL
    at_risk = int(np.count_nonzero(people != IMMUNE))
    most = 0
    while now := int(np.count_nonzero(people == ILL)):
        most = max(most, now)
        next_day(people, rate, rng)
    escaped = int(np.count_nonzero(people == SUSCEPTIBLE))
    return round(1 - escaped / at_risk, 4), most / size


@gm.op(output_names=["large", "mean_attack"])
def in_short(attacks):
    """Return which share of outbreaks was large, and the share of people that they reach."""
    return float(np.mean(np.array(attacks) > 0.1)), round(float(np.mean(attacks)), 3)
