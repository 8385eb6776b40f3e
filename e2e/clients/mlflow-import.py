"""Seeds an MLflow of one SQLite file, and compares two of them through the stock client."""

import json
import math
import os
import sys

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, ViewType


def seed(file, artifacts):
    client = MlflowClient(tracking_uri=f"sqlite:///{file}")
    mlflow.set_tracking_uri(f"sqlite:///{file}")
    trees = client.create_experiment("trees 🌲", artifact_location=f"file://{artifacts}/trees", tags={"team": "fliers"})
    gone = client.create_experiment("gone", artifact_location=f"file://{artifacts}/gone")
    mlflow.set_experiment(experiment_id=trees)
    for depth in range(3):
        with mlflow.start_run(run_name=f"depth-{depth}") as run:
            mlflow.log_params({"depth": depth, "text": "x" * 500})
            mlflow.set_tag("purpose", "trial")
            points = [Metric("loss", 1 / (step + 1), 1_700_000_000_000 + step, step) for step in range(2500)]
            for start in range(0, len(points), 1000):
                client.log_batch(run.info.run_id, metrics=points[start : start + 1000])
            mlflow.log_metric("broken", math.nan)
            mlflow.log_metric("huge", math.inf)
            mlflow.log_text("hello", "notes/a b.txt")
            mlflow.log_dict({"depth": depth}, "config.json")
    with mlflow.start_run(run_name="deleted") as run:
        mlflow.log_metric("loss", 3)
    client.delete_run(run.info.run_id)
    with mlflow.start_run(run_name="failed", nested=False) as run:
        pass
    client.set_terminated(run.info.run_id, "FAILED", end_time=1_700_000_005_000)
    import numpy as np
    from sklearn.linear_model import LinearRegression

    with mlflow.start_run(run_name="model") as run:
        model = LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))
        info = mlflow.sklearn.log_model(model, name="line", input_example=np.array([[1.0]]), registered_model_name="line")
        mlflow.log_metric("rmse", 0.25, model_id=info.model_id)
        data = mlflow.data.from_numpy(np.array([[0.0], [1.0]]), name="points")
        mlflow.log_input(data, context="training")
    client.create_model_version("line", info.model_uri, run_id=run.info.run_id, description="again")
    client.create_model_version("line", info.model_uri, run_id=run.info.run_id)
    client.delete_model_version("line", "2")
    client.set_registered_model_alias("line", "champion", "3")
    client.set_model_version_tag("line", "3", "checked", "yes")
    client.update_registered_model("line", "A straight line")
    client.create_registered_model("empty", tags={"a": "b"})
    mlflow.genai.register_prompt("greeting", template="Hello {{name}}", tags={"tone": "warm"})
    client.delete_experiment(gone)


def value(number):
    """MLflow keeps an infinity as the largest number there is."""
    return "inf" if number >= 1.7976931348623157e308 else str(number)


def describe(uri):
    """Everything that the stock client tells, without where the files lie."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    told = {"experiments": {}, "models": {}}
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        runs = {}
        for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
            run = client.get_run(run.info.run_id)
            files = {}
            if run.info.lifecycle_stage == "active":
                todo = [None]
                while todo:
                    for file in client.list_artifacts(run.info.run_id, todo.pop()):
                        if file.is_dir:
                            todo.append(file.path)
                        else:
                            with open(client.download_artifacts(run.info.run_id, file.path), "rb") as content:
                                files[file.path] = content.read().decode("utf8", "replace")
            runs[run.info.run_id] = {
                "name": run.info.run_name,
                "status": run.info.status,
                "stage": run.info.lifecycle_stage,
                "times": [run.info.start_time, run.info.end_time],
                "params": run.data.params,
                "tags": {key: text for key, text in run.data.tags.items() if not key.startswith("pave.")},
                "metrics": {
                    key: [
                        [value(point.value), point.timestamp, point.step]
                        for point in client.get_metric_history(run.info.run_id, key)
                    ]
                    for key in run.data.metrics
                },
                "inputs": [[one.dataset.name, one.dataset.digest, [[tag.key, tag.value] for tag in one.tags]] for one in run.inputs.dataset_inputs],
                "outputs": [one.model_id for one in run.outputs.model_outputs] if run.outputs else [],
                "files": files,
            }
        told["experiments"][experiment.name] = {
            "id": experiment.experiment_id,
            "stage": experiment.lifecycle_stage,
            "tags": experiment.tags,
            "created": experiment.creation_time,
            "runs": runs,
            "models": {
                model.model_id: {
                    "name": model.name,
                    "status": str(model.status),
                    "run": model.source_run_id,
                    "params": model.params,
                    "created": model.creation_timestamp,
                    "metrics": sorted([point.key, value(point.value), point.step] for point in model.metrics or []),
                }
                for model in client.search_logged_models([experiment.experiment_id])
            },
        }
    for model in client.search_registered_models():
        told["models"][model.name] = {
            "description": model.description or "",
            "tags": model.tags,
            "aliases": {alias: int(version) for alias, version in model.aliases.items()},
            "versions": {
                int(version.version): {
                    "run": version.run_id or "",
                    "description": version.description or "",
                    "tags": {key: text for key, text in version.tags.items() if not key.startswith("pave.")},
                    "created": version.creation_timestamp,
                }
                for version in client.search_model_versions(f"name = '{model.name}'")
            },
        }
    return told


if sys.argv[1] == "seed":
    seed(*sys.argv[2:])
else:
    print(json.dumps(describe(sys.argv[2]), sort_keys=True))
