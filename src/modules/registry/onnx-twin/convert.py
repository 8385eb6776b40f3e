"""
Makes the ONNX twin of a model that MLflow saved, and compares what both answer. Inputs: `model` (the directory that
MLflow wrote) and `request` (JSON). Outputs: `graph` (ONNX) and `report` (JSON), which says what was compared or, by a
stable code, why there is no graph.
"""

import importlib
import importlib.metadata
import json
import os
import platform
import traceback
import warnings
from pathlib import Path

import numpy
import onnx
import onnxruntime
import pandas

from graphs import Graph, convert_network, convert_table
from samples import NoSamples, Samples, draw_table, draw_tensors, only_example


class Problem(Exception):
    """Why there is no twin, for people; `code` is for programs."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def main() -> None:
    directory = os.environ["PAVE_INPUT_MODEL"]
    request = json.loads(Path(os.environ["PAVE_INPUT_REQUEST"]).read_text())
    graph, report = b"", {}
    try:
        graph, report = make_twin(directory, request)
    except Problem as problem:
        traceback.print_exc()
        report = {"problem": {"code": problem.code, "message": str(problem)}}
    Path(os.environ["PAVE_OUTPUT_GRAPH"]).write_bytes(graph)
    Path(os.environ["PAVE_OUTPUT_REPORT"]).write_text(json.dumps(report, allow_nan=False))


def make_twin(directory: str, request: dict) -> tuple[bytes, dict]:
    flavor = request["flavor"]
    model, signature, example = load(directory, flavor)
    exported = exported_program(directory) if flavor == "pytorch" else None
    try:
        if flavor == "pytorch":
            samples = draw_tensors(signature, example, request)
        else:
            samples = draw_table(signature, example, request, width_of(model))
    except NoSamples as error:
        raise Problem("samples_missing", f"There is nothing to compare on: {error}") from error
    samples, answers = answer(flavor, model, samples)
    try:
        if flavor == "pytorch":
            graph = convert_network(model, exported, samples.rows)
        else:
            graph = convert_table(flavor, model, samples.rows)
        onnx.checker.check_model(graph.model)
        content = graph.model.SerializeToString()
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:
        what = f"{type(model).__module__}.{type(model).__qualname__}"
        raise Problem("conversion_unsupported", f"{what} cannot be converted: {said(error)}") from error
    try:
        outputs = dict(zip([one.name for one in session.get_outputs()], session.run(None, graph.feed(samples.rows))))
    except Exception as error:
        raise Problem("conversion_unsupported", f"The graph does not run: {said(error)}") from error
    prediction = "probabilities" if "probabilities" in outputs else next(iter(name for name in outputs if name != "label"))
    return content, {
        "flavor": flavor,
        "converter": graph.converter,
        "opset": max((one.version for one in graph.model.opset_import if one.domain == ""), default=0),
        "python": platform.python_version(),
        "packages": packages(flavor),
        "samples": len(next(iter(outputs.values()))),
        "origins": samples.origins,
        "output": prediction,
        "columns": columns_of(model, samples) if request["features"] else None,
        **compare(answers["prediction"], outputs[prediction]),
        "labels": compare_labels(answers, outputs, request["tolerance"]),
    }


def load(directory: str, flavor: str):
    """The model as its own library knows it, and what MLflow knows of its inputs."""
    from mlflow.models import Model

    try:
        description = Model.load(directory)
        model = importlib.import_module(f"mlflow.{flavor}").load_model(directory)
    except BaseException as error:
        raise Problem("model_unreadable", f"The model cannot be loaded: {said(error)}") from error
    try:
        example = description.load_input_example(directory)
    except Exception as error:
        print(f"The logged input example cannot be read: {said(error)}")
        example = None
    return model, description.signature, example


def exported_program(directory: str):
    """What `torch.export` wrote, where MLflow saved the model in that format: it knows which axes are free."""
    import torch

    found = list(Path(directory).rglob("model.pt2"))
    return torch.export.load(found[0]) if len(found) == 1 else None


def width_of(model) -> int | None:
    for name in ["n_features_in_", "n_features_"]:
        if isinstance(getattr(model, name, None), (int, numpy.integer)):
            return int(getattr(model, name))
    for name in ["num_features", "num_feature"]:
        if callable(getattr(model, name, None)):
            return int(getattr(model, name)())
    return None


def columns_of(model, samples: Samples) -> list[str] | None:
    """The names of its columns in the order that the graph takes; as many as a version can have features."""
    if isinstance(samples.rows, pandas.DataFrame) and samples.named:
        names = samples.rows.columns
    else:
        names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name)[:500] for name in names][:2000]


def answer(flavor: str, model, samples: Samples) -> tuple[Samples, dict]:
    """What the model itself says of the samples; of the logged example alone when it does not take the others."""
    try:
        return samples, native_answers(flavor, model, samples)
    except Exception as error:
        fewer = only_example(samples)
        if fewer is None:
            raise Problem("samples_missing", f"The model does not take rows as it says it does: {said(error)}") from error
        print(f"It takes no rows that were made up, so its example is compared alone: {said(error)}")
    try:
        return fewer, native_answers(flavor, model, fewer)
    except Exception as error:
        raise Problem("model_unreadable", f"The model does not take its own example: {said(error)}") from error


def native_answers(flavor: str, model, samples: Samples) -> dict:
    if flavor == "pytorch":
        import torch

        with torch.no_grad():
            said_by_it = model(*[torch.from_numpy(numpy.ascontiguousarray(one)) for one in samples.rows.values()])
        first = said_by_it[0] if isinstance(said_by_it, (tuple, list)) else said_by_it
        return {"prediction": first.detach().cpu().numpy()}
    rows = samples.rows if samples.named else samples.rows.to_numpy()
    if flavor == "xgboost" and not hasattr(model, "get_booster"):
        import xgboost

        return {"prediction": model.predict(xgboost.DMatrix(rows))}
    if hasattr(model, "predict_proba"):
        return {"prediction": model.predict_proba(rows), "label": model.predict(rows)}
    if hasattr(model, "decision_function") and hasattr(model, "classes_"):
        return {"prediction": model.decision_function(rows), "label": model.predict(rows)}
    return {"prediction": model.predict(rows)}


def compare(native, graph) -> dict:
    """The largest differences; none is told where one side has a number and the other has not."""
    left, right = numpy.asarray(native, dtype="float64"), numpy.asarray(graph, dtype="float64")
    rows = len(left)
    left, right = left.reshape(rows, -1), right.reshape(len(right), -1)
    if left.shape[1] == 1 and right.shape[1] == 2:
        # Of two classes the second one's answer is the prediction.
        right = right[:, 1:]
    if left.shape != right.shape:
        message = f"The model answers {left.shape[1]} numbers for a row and the graph {right.shape[1]}"
        raise Problem("conversion_unsupported", message)
    apart = numpy.abs(left - right)
    apart[(left == right) | (numpy.isnan(left) & numpy.isnan(right))] = 0
    size = numpy.abs(left)
    judged = apart / numpy.maximum(1, size)
    judged[numpy.isnan(judged)] = numpy.inf
    row, column = numpy.unravel_index(judged.argmax(), judged.shape)
    relative = numpy.divide(apart, size, out=numpy.zeros_like(apart), where=size > 0)
    return {
        "maxAbsolute": finite(apart.max()),
        "maxRelative": finite(relative.max()),
        "difference": finite(judged.max()),
        "worst": {"row": int(row), "model": finite(left[row, column]), "graph": finite(right[row, column])},
    }


def compare_labels(answers: dict, outputs: dict, tolerance: float) -> int | None:
    """Rows whose label differs though the model was not undecided; None where there are no labels."""
    if "label" not in outputs or "label" not in answers:
        return None
    native, graph = numpy.asarray(answers["label"]), numpy.asarray(outputs["label"])
    numbers = native.dtype.kind in "biuf" and graph.dtype.kind in "biuf"
    differs = native != graph if numbers else native.astype(str) != graph.astype(str)
    said_by_it = numpy.asarray(answers["prediction"], dtype="float64")
    if said_by_it.ndim == 1:
        margin = numpy.abs(said_by_it)
    else:
        best = numpy.sort(said_by_it, axis=1)
        margin = best[:, -1] - best[:, -2] if best.shape[1] > 1 else best[:, -1]
    return int((differs & (margin > 2 * tolerance)).sum())


def finite(value) -> float | None:
    return float(value) if numpy.isfinite(value) else None


def packages(flavor: str) -> dict[str, str]:
    names = {"sklearn": "scikit-learn", "pytorch": "torch", "xgboost": "xgboost-cpu"}
    wanted = [flavor, names.get(flavor, flavor), "skl2onnx", "onnxmltools", "onnx", "onnxruntime", "numpy"]
    found = {}
    for name in wanted:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:1000]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(f"Python {platform.python_version()}, pandas {pandas.__version__}, onnx {onnx.__version__}")
    main()
