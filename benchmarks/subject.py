"""What is memoized: copied into the project that each benchmark makes, so that its code is versioned."""

import random
import time

import numpy as np

FACTOR = 3


def triple(x: int) -> int:
    return FACTOR * x + 1


def named(x: int, y: float = 0.5, name: str = "run") -> float:
    return FACTOR * x + y


def measured(setting: dict[str, object]) -> int:
    return FACTOR * len(setting)


def first(values: np.ndarray) -> float:
    return FACTOR * float(values[0])


def ramp(start: int) -> np.ndarray:
    return np.arange(start, start + 1_310_720, dtype=np.float64)  # 10 MiB


def moved(values: np.ndarray) -> np.ndarray:
    return values + FACTOR


def noise(number: int, size: int) -> bytes:
    return random.Random(number).randbytes(size)


def nap(number: int) -> int:
    time.sleep(0.2)
    return FACTOR * number


def load(i: int) -> int:
    return i * 7


def train(data: int, rate: float) -> float:
    return data * rate


def judge(model: float, k: int) -> float:
    return model + k
