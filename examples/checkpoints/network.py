"""A small network of two layers that reads digits, with its gradients by hand."""

import numpy as np


def begin(hidden, seed):
    rng = np.random.default_rng(seed)
    return {
        "w1": rng.normal(0, 0.1, (64, hidden)),
        "b1": np.zeros(hidden),
        "w2": rng.normal(0, 0.1, (hidden, 10)),
        "b2": np.zeros(10),
    }


def forward(weights, X):
    """Return the hidden layer, and the probability of each digit."""
    hidden = np.maximum(0, X @ weights["w1"] + weights["b1"])
    scores = hidden @ weights["w2"] + weights["b2"]
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, raised / raised.sum(axis=1, keepdims=True)


def learn(weights, X, y, rate):
    """Return weights after one step, and the loss before it."""
    hidden, chances = forward(weights, X)
    loss = -np.log(chances[np.arange(len(y)), y]).mean()
    wrong = (chances - np.eye(10)[y]) / len(y)
    back = (wrong @ weights["w2"].T) * (hidden > 0)
    slopes = {"w1": X.T @ back, "b1": back.sum(0), "w2": hidden.T @ wrong, "b2": wrong.sum(0)}
    return {name: weights[name] - rate * slopes[name] for name in weights}, float(loss)


def accuracy(weights, X, y):
    return float((forward(weights, X)[1].argmax(axis=1) == y).mean())
