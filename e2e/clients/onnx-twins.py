"""
Logs and registers, with the stock client, models without an ONNX graph; prints for each the rows to ask about and what the
model itself answers to them. REQUIREMENTS is what each says that it needs. WAITS is a file: one model cannot be loaded
before something of that name is in its home.
"""

import json
import os
import sys

import cloudpickle
import mlflow
import mlflow.lightgbm
import mlflow.sklearn
import mlflow.xgboost
import numpy
import pandas
from lightgbm import LGBMRegressor
from mlflow.models import infer_signature
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

requirements = os.environ["REQUIREMENTS"].split()
numbers = numpy.random.default_rng(0)
flights = pandas.DataFrame(
    {"hour": numbers.integers(0, 24, 400), "distance": numbers.exponential(800, 400), "load": numbers.random(400)}
)
late = ((flights.distance > 500) & (flights.hour > 12)).astype(int)
carried = flights.assign(carrier=numbers.choice(["AA", "UA", "DL"], 400))
asked = flights.tail(20).astype("float32").astype("float64")
seen = {}


class OddRule(ClassifierMixin, BaseEstimator):
    """What no converter knows."""

    def fit(self, rows, labels):
        self.classes_ = numpy.array([0, 1])
        return self

    def predict(self, rows):
        return (numpy.asarray(rows)[:, 0] > 3).astype(int)


def wait_for(model, name):
    import os
    import time

    print("waiting", flush=True)
    while not os.path.exists(os.path.join(os.environ["HOME"], name)):
        time.sleep(0.02)
    return model


class Slow:
    """Becomes the model when it is loaded, but not before there is a file."""

    def __init__(self, model):
        self.model = model

    def __reduce__(self):
        return wait_for, (self.model, os.environ["WAITS"])


def register(name, folder):
    with mlflow.start_run() as run:
        mlflow.log_artifacts(folder, "model")
    return mlflow.register_model(f"runs:/{run.info.run_id}/model", name)


def save(flavor, name, model, rows, change=None, needs=requirements, **options):
    options.setdefault("signature", infer_signature(rows, model.predict(rows)))
    flavor.save_model(model, name, pip_requirements=needs, **options)
    if change is not None:
        change(name)
    register(name, name)


def pickle_instead(what):
    def change(folder):
        with open(os.path.join(folder, "model.pkl"), "wb") as file:
            file.write(what if isinstance(what, bytes) else cloudpickle.dumps(what))

    return change


pickled = {"serialization_format": "cloudpickle"}
linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(flights, late)
save(mlflow.sklearn, "linear", linear, flights, input_example=flights.head(5))
seen["linear"] = {"rows": asked.to_numpy().tolist(), "answers": linear.predict_proba(asked)[:, 1].tolist()}
trees = XGBClassifier(n_estimators=20).fit(flights, late)
save(mlflow.xgboost, "trees", trees, flights)
seen["trees"] = {"rows": asked.to_numpy().tolist(), "answers": trees.predict_proba(asked)[:, 1].astype(float).tolist()}
boosted = LGBMRegressor(n_estimators=20, verbose=-1).fit(flights, flights.load * 1000)
save(mlflow.lightgbm, "boosted", boosted, flights, input_example=flights.head(5))
seen["boosted"] = {"rows": asked.to_numpy().tolist(), "answers": boosted.predict(asked).tolist()}
columns = ColumnTransformer([("carrier", OneHotEncoder(), ["carrier"]), ("rest", StandardScaler(), ["hour", "distance"])])
mixed = make_pipeline(columns, LogisticRegression()).fit(carried, late)
save(mlflow.sklearn, "mixed", mixed, carried, input_example=carried.head(50), **pickled)
save(mlflow.sklearn, "odd", OddRule().fit(flights, late), flights, **pickled)
save(mlflow.sklearn, "broken", linear, flights, change=pickle_instead(b"\x80\x05not a pickle"), **pickled)
save(mlflow.sklearn, "slow", linear, flights, change=pickle_instead(Slow(linear)), **pickled)
save(mlflow.sklearn, "unlucky", linear, flights, needs=["--no-index"], **pickled)

print(json.dumps(seen), file=sys.stdout)
