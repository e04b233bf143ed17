"""Training with a checkpoint after every epoch: `python train.py [EPOCHS] [RATE]`."""

import sys
from pathlib import Path

import numpy as np
from network import accuracy, begin, learn
from sklearn.datasets import load_digits

import gitmemo as gm

storage = gm.open()


@gm.op(output_names=["X_train", "y_train", "X_test", "y_test"])
def load():
    X, y = load_digits(return_X_y=True)
    return X[:1200] / 16, y[:1200], X[1200:] / 16, y[1200:]


@gm.op(output_names=["checkpoint"])
def start(hidden, seed):
    return saved(begin(hidden, seed), "epoch-0")


@gm.op(output_names=["checkpoint", "loss"])
def epoch(checkpoint, X_train, y_train, number, rate):
    """Go once through the data, in an order that the number of the epoch decides."""
    weights = dict(np.load(checkpoint.path))
    order = np.random.default_rng(number).permutation(len(y_train))
    losses = []
    for some in np.array_split(order, 40):
        weights, loss = learn(weights, X_train[some], y_train[some], rate)
        losses.append(loss)
    return saved(weights, f"epoch-{number}"), round(float(np.mean(losses)), 3)


@gm.op(output_names=["test_acc"])
def test(checkpoint, X_test, y_test):
    return round(accuracy(dict(np.load(checkpoint.path)), X_test, y_test), 2)


def saved(weights, name):
    path = Path("checkpoints") / f"{name}.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **weights)
    return gm.File(path)


if __name__ == "__main__":
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    rate = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
    with storage:
        X_train, y_train, X_test, y_test = load()
        checkpoint = start(hidden=32, seed=0)
        for number in range(1, epochs + 1):
            checkpoint, loss = epoch(checkpoint, X_train, y_train, number, rate)
            acc = test(checkpoint, X_test, y_test)
            print(f"epoch {number}: loss {loss.unwrap()}, accuracy {acc.unwrap()}", flush=True)
