"""What the model in Python answers for rows of features: NAME of the algorithm, FILE of rows as JSON; prints a list."""

import json
import sys
from pathlib import Path

import mlflow
import mlflow.sklearn
import mlflow.xgboost
import numpy

name, file = sys.argv[1:]
mlflow.set_experiment("flight-delays")
(run,) = mlflow.search_runs(filter_string=f"tags.mlflow.runName = '{name}'", output_format="list")
flavor = mlflow.xgboost if name == "xgboost" else mlflow.sklearn
model = flavor.load_model(f"runs:/{run.info.run_id}/python-model")
rows = numpy.array(json.loads(Path(file).read_text()), dtype="float32")
print(json.dumps(model.predict_proba(rows)[:, 1].astype(float).tolist()))
