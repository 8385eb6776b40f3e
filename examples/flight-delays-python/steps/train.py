"""
Trains the model with scikit-learn and tracks the run with the stock mlflow client, which finds Pave by
MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN. Input: `training` (CSV). Outputs: `model` (ONNX), `profile` (JSON, the
features as trained on) and `report` (JSON). Every parameter has a default.
"""

import mlflow
import mlflow.onnx
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from step import Step, run_step, show_progress
from table import profile_features, read_table


def train(step: Step) -> None:
    unit = str(step.params.get("distance_unit", "miles"))
    options = {
        "max_iter": int(step.params.get("trees", 100)),
        "max_leaf_nodes": int(step.params.get("leaves", 63)),
        "learning_rate": float(step.params.get("learning_rate", 0.1)),
        "l2_regularization": 5.0,
        "random_state": int(step.params.get("seed", 1)),
    }
    show_progress(0, "reading the training set")
    features, labels, _ = read_table(step.inputs["training"], unit)
    known = len(features)
    sampled = features.sample(n=min(known, int(step.params.get("max_rows", 400_000))), random_state=options["random_state"])
    features, labels = sampled, labels[sampled.index]
    if len(set(labels)) < 2:
        raise ValueError("The training table needs rows of both labels.")
    print(f"training on {len(features)} of {known} rows with {features.shape[1]} features")

    mlflow.set_experiment("flight-delays")
    with mlflow.start_run() as run:
        mlflow.log_params({**options, "distance_unit": unit})
        model = HistGradientBoostingClassifier(early_stopping=False, **options).fit(features.to_numpy(), labels)
        show_progress(0.7, "writing the graph")
        graph = probability_graph(model, features.shape[1])
        difference = largest_difference(graph, model, features.to_numpy()[:10_000])
        if difference > 1e-3:
            raise ValueError(f"The ONNX graph and the model differ by {difference}.")
        auc = float(roc_auc_score(labels, model.predict_proba(features.to_numpy())[:, 1]))
        mlflow.log_metrics({"training_auc": auc, "training_rows": len(features), "onnx_difference": difference})
        profile = profile_features(features)
        mlflow.log_dict({"features": list(features.columns), "profile": profile}, "pave/version.json")
        logged = mlflow.onnx.log_model(graph, name="model", save_as_external_data=False)

    step.write("model", graph.SerializeToString())
    step.write("profile", profile)
    step.write(
        "report",
        {
            "hyperparameters": {**options, "distance_unit": unit},
            "training_rows": len(features),
            "training_auc": auc,
            "signature": {
                "inputs": [{"name": "features", "datatype": "FP32", "shape": [-1, features.shape[1]]}],
                "outputs": [{"name": "probability", "datatype": "FP32", "shape": [-1, 1]}],
            },
            "mlflow_run": run.info.run_id,
            "mlflow_model": logged.model_id,
        },
    )
    show_progress(1, f"training AUC {auc:.3f}")


def probability_graph(model: HistGradientBoostingClassifier, columns: int) -> onnx.ModelProto:
    """The model as an ONNX graph with one output, the probability of the label 1; NaN is a missing value."""
    graph = to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, columns]))],
        options={"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    bounds = {"second": 1, "third": 2, "columns": 1}
    graph.graph.initializer.extend(
        numpy_helper.from_array(numpy.array([value], dtype=numpy.int64), name) for name, value in bounds.items()
    )
    graph.graph.node.append(helper.make_node("Slice", ["probabilities", *bounds], ["probability"]))
    del graph.graph.output[:]
    graph.graph.output.append(helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 1]))
    onnx.checker.check_model(graph)
    return graph


def largest_difference(graph: onnx.ModelProto, model: HistGradientBoostingClassifier, rows: numpy.ndarray) -> float:
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    (answers,) = session.run(["probability"], {"features": rows})
    return float(numpy.abs(answers[:, 0] - model.predict_proba(rows)[:, 1]).max())


if __name__ == "__main__":
    run_step(train)
