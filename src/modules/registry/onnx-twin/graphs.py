"""Makes ONNX graphs of models. What a library cannot convert, it says by an exception."""

import copy
import importlib.metadata
import io
from dataclasses import dataclass

import numpy
import onnx
import pandas

# What the inference plane's ONNX Runtime knows, and what all converters write.
OPSET = 17
OPSET_BY_TREES = 15
OPSET_OF_TORCH = 18
OPSET_OF_TREES = 3


@dataclass
class Graph:
    model: onnx.ModelProto
    converter: str
    # Of each input: its name, and the columns of the table that make it; None is all of them.
    inputs: list[tuple[str, list[str] | None]]

    def feed(self, rows) -> dict[str, numpy.ndarray]:
        """The rows as the graph takes them."""
        if not isinstance(rows, pandas.DataFrame):
            return rows
        wanted = {one.name: _dtype_of(one) for one in self.model.graph.input}
        return {
            name: numpy.ascontiguousarray((rows if columns is None else rows[columns]).to_numpy().astype(wanted[name]))
            for name, columns in self.inputs
        }


def convert_table(flavor: str, model, table: pandas.DataFrame) -> Graph:
    """Of rows of numbers, one tensor; else one tensor for each column, where the library can."""
    texts = [name for name in table.columns if table[name].dtype.kind not in "fiub"]
    convert = {"xgboost": _xgboost, "lightgbm": _lightgbm}.get(flavor)
    if convert is not None:
        if texts:
            raise TypeError(f"{flavor} with columns that hold no numbers ({', '.join(texts)}) cannot be converted")
        return convert(model, table.shape[1])
    if texts:
        return _sklearn_by_column(model, table)
    try:
        return _sklearn(model, table.shape[1])
    except Exception as error:
        print(f"It does not take one tensor of all columns: {type(error).__name__}: {error}")
        return _sklearn_by_column(model, table)


def _sklearn(model, width: int) -> Graph:
    from skl2onnx.common.data_types import FloatTensorType

    return Graph(_to_onnx(model, [("features", FloatTensorType([None, width]))]), _named("skl2onnx"), [("features", None)])


def _sklearn_by_column(model, table: pandas.DataFrame) -> Graph:
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types = [
        (name, (FloatTensorType if table[name].dtype.kind in "fiub" else StringTensorType)([None, 1]))
        for name in table.columns
    ]
    return Graph(_to_onnx(model, types), _named("skl2onnx"), [(name, [name]) for name in table.columns])


def _to_onnx(model, types) -> onnx.ModelProto:
    from skl2onnx import convert_sklearn

    _teach_trees()
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    # Otherwise probabilities come as a list of dictionaries, which no tensor holds.
    options = {id(last): {"zipmap": False}} if hasattr(last, "predict_proba") else None
    return convert_sklearn(
        model, initial_types=types, options=options, target_opset={"": OPSET, "ai.onnx.ml": OPSET_OF_TREES}
    )


def _teach_trees() -> None:
    """Lets a pipeline of scikit-learn end in XGBoost or LightGBM, where these are installed."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    classifier = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    try:
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
        from xgboost import XGBClassifier, XGBRegressor

        shapes = calculate_linear_classifier_output_shapes
        update_registered_converter(XGBClassifier, "XGBClassifier", shapes, convert_xgboost, options=classifier)
        shapes = calculate_linear_regressor_output_shapes
        update_registered_converter(XGBRegressor, "XGBRegressor", shapes, convert_xgboost)
    except ImportError:
        pass
    try:
        from lightgbm import LGBMClassifier, LGBMRegressor
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm

        shapes = calculate_linear_classifier_output_shapes
        update_registered_converter(LGBMClassifier, "LgbmClassifier", shapes, convert_lightgbm, options=classifier)
        shapes = calculate_linear_regressor_output_shapes
        update_registered_converter(LGBMRegressor, "LgbmRegressor", shapes, convert_lightgbm, options={"split": None})
    except ImportError:
        pass


def _xgboost(model, width: int) -> Graph:
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    # The converter knows columns by their position alone.
    model = copy.deepcopy(model)
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    booster.feature_names = None
    graph = convert_xgboost(
        model, initial_types=[("features", FloatTensorType([None, width]))], target_opset=OPSET_BY_TREES
    )
    return Graph(_with_opset(graph), _named("onnxmltools"), [("features", None)])


def _lightgbm(model, width: int) -> Graph:
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    graph = convert_lightgbm(
        model,
        initial_types=[("features", FloatTensorType([None, width]))],
        target_opset=OPSET_BY_TREES,
        zipmap=False,
    )
    return Graph(_with_opset(graph), _named("onnxmltools"), [("features", None)])


def _with_opset(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Of trees alone the converter names no standard operators, and the runtime wants to know whose they are."""
    if not any(opset.domain == "" for opset in graph.opset_import):
        graph.opset_import.append(onnx.helper.make_opsetid("", OPSET_BY_TREES))
    return graph


def convert_network(model, exported, tensors: dict[str, numpy.ndarray]) -> Graph:
    """A PyTorch module, or what was exported of one; the first axis of its inputs and outputs is free."""
    import torch

    few = {name: torch.from_numpy(numpy.ascontiguousarray(value[:2])) for name, value in tensors.items()}
    with torch.no_grad():
        answered = model(*few.values())
    count = len(answered) if isinstance(answered, (tuple, list)) else 1
    names = {
        "input_names": list(few),
        "output_names": ["output"] if count == 1 else [f"output_{at}" for at in range(count)],
        "opset_version": OPSET_OF_TORCH,
    }
    if exported is not None:
        graph = torch.onnx.export(exported, tuple(few.values()), dynamo=True, **names).model_proto
    else:
        graph = _by_graph_capture(model, few, names)
    return Graph(graph, _named("torch"), [(name, None) for name in few])


def _by_graph_capture(model, few: dict, names: dict) -> onnx.ModelProto:
    import torch

    if hasattr(torch.export, "Dim") and hasattr(torch.export.Dim, "AUTO") and not isinstance(model, torch.jit.ScriptModule):
        shapes = tuple({0: torch.export.Dim.AUTO} for _ in few)
        try:
            return torch.onnx.export(model, tuple(few.values()), dynamo=True, dynamic_shapes=shapes, **names).model_proto
        except Exception as error:
            print(f"It cannot be captured as one graph, so it is traced: {type(error).__name__}: {error}")
    written = io.BytesIO()
    axes = {name: {0: "rows"} for name in [*few, *names["output_names"]]}
    torch.onnx.export(model, tuple(few.values()), written, dynamic_axes=axes, dynamo=False, **names)
    return onnx.load_from_string(written.getvalue())


def _named(package: str) -> str:
    return f"{package} {importlib.metadata.version(package)}"


def _dtype_of(value) -> object:
    kind = value.type.tensor_type.elem_type
    return object if kind == onnx.TensorProto.STRING else onnx.helper.tensor_dtype_to_np_dtype(kind)
