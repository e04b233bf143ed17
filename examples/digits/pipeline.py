"""Which classifier reads handwritten digits best, and does scaling help?

Ordinary Python. What is decorated with `@gm.op` is computed once; running the
script again takes the results from the repository.
"""

from features import scale
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

import gitmemo as gm

storage = gm.open()


@gm.op(output_names=["X_train", "X_test", "y_train", "y_test"])
def load_data(n_class=10):
    X, y = load_digits(n_class=n_class, return_X_y=True)
    return tuple(train_test_split(X, y, test_size=0.5, random_state=0))


@gm.op(output_names=["model", "train_acc"])
def train(X_train, y_train, kind, scaled):
    models = {
        "tree": DecisionTreeClassifier(max_depth=8, random_state=0),
        "forest": RandomForestClassifier(n_estimators=50, random_state=0),
        "linear": LogisticRegression(max_iter=2000),
    }
    X = scale(X_train) if scaled else X_train
    model = models[kind].fit(X, y_train)
    return model, round(float(model.score(X, y_train)), 3)


@gm.op(output_names=["test_acc"])
def evaluate(model, X_test, y_test, scaled):
    X = scale(X_test) if scaled else X_test
    return round(float(model.score(X, y_test)), 3)


with storage:
    X_train, X_test, y_train, y_test = load_data()
    best, best_acc = None, 0.0
    for kind in ("tree", "forest", "linear"):
        for scaled in (False, True):
            model, train_acc = train(X_train, y_train, kind=kind, scaled=scaled)
            test_acc = evaluate(model, X_test, y_test, scaled=scaled)
            if storage.unwrap(test_acc) > best_acc:
                best, best_acc = model, storage.unwrap(test_acc)

    print(f"best: {type(storage.unwrap(best)).__name__}, test accuracy {best_acc}")
