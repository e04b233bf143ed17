"""Start-up: whole processes, CPU time."""

from __future__ import annotations

import resource
import subprocess
import sys

from benchmarks.timing import ROUNDS, Figure, show


def startup() -> None:
    """`import gitmemo` and `gitmemo --help`, beside bare Python: CPU time of the whole process."""
    commands = {
        "import gitmemo": ["-c", "import gitmemo"],
        "gitmemo --help": ["-m", "gitmemo", "--help"],
        "bare Python": ["-c", "pass"],
        "import joblib": ["-c", "import joblib"],
    }
    samples: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS + 1):  # the first round writes the bytecode
        for name, arguments in commands.items():
            samples[name].append(_cpu_us([sys.executable, *arguments]))
    figures = []
    for name, times in samples.items():
        kept = sorted(times[1:])
        figures.append(Figure(name, kept[len(kept) // 2], kept[0], kept[-1]))
    show("start-up, CPU", figures)


def _cpu_us(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e6
