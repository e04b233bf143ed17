"""Which words do the files of a folder have in common? `python words.py FOLDER`."""

import sys
from collections import Counter
from pathlib import Path

import pandas as pd
from reading import words_of

import gitmemo as gm

storage = gm.open()


@gm.op(output_names=["counts", "total"])
def count(text):
    """Return how often each word is in a file, as a table, and how many words it has."""
    counted = Counter(words_of(text.read_text()))
    table = pd.DataFrame(sorted(counted.items()), columns=["word", "times"])
    return table, counted.total()


@gm.op(output_names=["shared"])
def in_common(tables):
    """Return the words that are in several files, those in most files first."""
    together = pd.concat(tables).groupby("word")["times"].agg(files="count", times="sum")
    several = together[together["files"] > 1].sort_values("times", ascending=False, kind="stable")
    return several.sort_values("files", ascending=False, kind="stable").reset_index()


@gm.op(output_names=["report"])
def report(shared):
    """Write a table for people; return the file."""
    path = Path("build/shared.csv")
    path.parent.mkdir(exist_ok=True)
    shared.to_csv(path, index=False)
    return gm.File(path)


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "texts")
    with storage:
        tables = [count(gm.File(path))[0] for path in sorted(folder.glob("*.txt"))]
        shared = in_common(tables)
        written = storage.unwrap(report(shared))
        print(storage.unwrap(shared).head(5).to_string(index=False))
        print(f"all of them: {written.path}")
