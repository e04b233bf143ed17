"""What is watched while it runs: copied into the project that the benchmark makes."""

import numpy as np

SCALE = 2
DATA = np.zeros(1)  # the benchmark puts a large array here


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def even(n: int) -> bool:
    return True if n == 0 else odd(n - 1)


def odd(n: int) -> bool:
    return False if n == 0 else even(n - 1)


def recursion(_: int) -> int:
    return fib(22) + sum(even(200) for _ in range(200))


def arrays(_: int) -> float:
    values = np.random.default_rng(0).random((300, 300))
    for _ in range(12):
        values = np.sort(values @ values / 300, axis=0)
    return float(values.sum())


def small_arrays(_: int) -> float:
    ones, total = np.ones(4), 0.0
    for _ in range(6_000):
        total += float(np.add(ones, ones).sum())
    return total


def texts(_: int) -> int:
    return sum([len(str(n).upper().replace("1", "2").strip()) for n in range(40_000)])


def a(x: int) -> int:
    return x + SCALE


def b(x: int) -> int:
    return a(x) + 1


def c(x: int) -> int:
    return b(x) + 1


def d(x: int) -> int:
    return c(x) + 1


def five(x: int) -> int:
    return d(x) + 1


def none(x: int) -> int:
    return x


def of_data(x: int) -> float:
    return x + float(DATA[0])
