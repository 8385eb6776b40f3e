"""
Trains the model and tracks the run with the stock mlflow client, which finds Pave by MLFLOW_TRACKING_URI and
MLFLOW_TRACKING_TOKEN. Input: `training` (CSV). Outputs: `model` (ONNX), `profile` (JSON, the features as trained on) and
`report` (JSON). Every parameter has a default.
"""

import mlflow
import mlflow.onnx
import mlflow.sklearn
import mlflow.xgboost
from sklearn.metrics import roc_auc_score

from models import MODELS, largest_difference, log_python_model, new_model, probability_graph
from step import Step, run_step, show_progress
from table import profile_features, read_table

# Serving compares 32-bit numbers: a graph that goes another way at some split differs by far more than this.
MOST_DIFFERENCE = 1e-5


def train(step: Step) -> None:
    unit = str(step.params.get("distance_unit", "miles"))
    options = {
        "model": str(step.params.get("model", MODELS[0])),
        "trees": int(step.params.get("trees", 100)),
        "leaves": int(step.params.get("leaves", 63)),
        "learning_rate": float(step.params.get("learning_rate", 0.1)),
        "seed": int(step.params.get("seed", 1)),
    }
    name, *rest = options.values()
    model = new_model(name, *rest)
    show_progress(0, "reading the training set")
    features, labels, _ = read_table(step.inputs["training"], unit)
    known = len(features)
    most = int(step.params.get("max_rows", 400_000))
    sampled = features.sample(n=min(known, most), random_state=options["seed"])
    features, labels = sampled, labels[sampled.index]
    if len(set(labels)) < 2:
        raise ValueError("The training table needs rows of both labels.")
    print(f"training {name} on {len(features)} of {known} rows with {features.shape[1]} features")

    mlflow.set_experiment("flight-delays")
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_params({**options, "distance_unit": unit})
        rows = features.to_numpy()
        model.fit(rows, labels)
        show_progress(0.7, "writing the graph")
        graph = probability_graph(model, rows.shape[1])
        difference = largest_difference(graph, model, rows)
        print(f"the ONNX graph and the model in Python differ by {difference:.1e} at most, over {len(rows)} rows")
        if not difference <= MOST_DIFFERENCE:
            raise ValueError(f"The ONNX graph and the model differ by {difference}, more than {MOST_DIFFERENCE}.")
        auc = float(roc_auc_score(labels, model.predict_proba(rows)[:, 1]))
        mlflow.log_metrics({"training_auc": auc, "training_rows": len(rows), "onnx_difference": difference})
        profile = profile_features(features)
        mlflow.log_dict({"features": list(features.columns), "profile": profile}, "pave/version.json")
        log_python_model(model)
        logged = mlflow.onnx.log_model(graph, name="model", save_as_external_data=False)

    step.write("model", graph.SerializeToString())
    step.write("profile", profile)
    step.write(
        "report",
        {
            "hyperparameters": {**options, "distance_unit": unit},
            "training_rows": len(features),
            "training_auc": auc,
            "onnx_difference": difference,
            "signature": {
                "inputs": [{"name": "features", "datatype": "FP32", "shape": [-1, features.shape[1]]}],
                "outputs": [{"name": "probability", "datatype": "FP32", "shape": [-1, 1]}],
            },
            "mlflow_run": run.info.run_id,
            "mlflow_model": logged.model_id,
        },
    )
    show_progress(1, f"training AUC {auc:.3f}")


if __name__ == "__main__":
    run_step(train)
