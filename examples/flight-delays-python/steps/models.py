"""The algorithms to choose from. Both take NaN for a missing value, and both become a graph of one output."""

import mlflow
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as XGBoostFloats
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier
from xgboost import XGBClassifier

MODELS = ["hist-gradient-boosting", "xgboost"]

Model = HistGradientBoostingClassifier | XGBClassifier


def new_model(name: str, trees: int, leaves: int, learning_rate: float, seed: int) -> Model:
    if name == "hist-gradient-boosting":
        return HistGradientBoostingClassifier(
            max_iter=trees,
            max_leaf_nodes=leaves,
            learning_rate=learning_rate,
            l2_regularization=5.0,
            early_stopping=False,
            random_state=seed,
        )
    if name == "xgboost":
        return XGBClassifier(
            n_estimators=trees,
            max_leaves=leaves,
            max_depth=0,
            grow_policy="lossguide",
            learning_rate=learning_rate,
            reg_lambda=5.0,
            random_state=seed,
        )
    raise ValueError(f'The parameter "model" is {" or ".join(MODELS)}, not "{name}".')


def log_python_model(model: Model) -> None:
    """The model as Python knows it, for whoever wants to go on from it; what serves is the graph."""
    if isinstance(model, XGBClassifier):
        mlflow.xgboost.log_model(model, name="python-model", model_format="ubj")
    else:
        mlflow.sklearn.log_model(model, name="python-model", serialization_format="pickle")


def probability_graph(model: Model, columns: int) -> onnx.ModelProto:
    """The model as an ONNX graph with one output, the probability of the label 1."""
    if isinstance(model, XGBClassifier):
        inputs = [("features", XGBoostFloats([None, columns]))]
        graph = convert_xgboost(model, initial_types=inputs, target_opset=15)
    else:
        inputs = [("features", FloatTensorType([None, columns]))]
        graph = to_onnx(
            model, initial_types=inputs, options={"zipmap": False}, target_opset={"": 17, "ai.onnx.ml": 3}
        )
    bounds = {"second": 1, "third": 2, "columns": 1}
    graph.graph.initializer.extend(
        numpy_helper.from_array(numpy.array([value], dtype=numpy.int64), name) for name, value in bounds.items()
    )
    graph.graph.node.append(helper.make_node("Slice", ["probabilities", *bounds], ["probability"]))
    del graph.graph.output[:]
    graph.graph.output.append(helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 1]))
    if not any(opset.domain == "" for opset in graph.opset_import):
        graph.opset_import.append(helper.make_opsetid("", 15))
    onnx.checker.check_model(graph)
    return graph


def largest_difference(graph: onnx.ModelProto, model: Model, rows: numpy.ndarray) -> float:
    """Between what the graph answers and what the model answers in Python."""
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    (answers,) = session.run(["probability"], {"features": rows})
    return float(numpy.abs(answers[:, 0] - model.predict_proba(rows)[:, 1]).max())
