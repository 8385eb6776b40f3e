"""
Measures the graph on rows that the training has not seen, and logs the metrics to the run that trained it. Inputs:
`model` (ONNX), `report` (JSON), `training` and `evaluation` (CSV). Output: `metrics` (JSON).
"""

import json
import math
from pathlib import Path

import mlflow
import numpy
import onnxruntime
import pandas
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from step import Step, run_step, show_progress
from table import quantile_cuts, read_table

BASELINE_FEATURES = ["origin_late_rate_3h", "minute_of_day"]
SLICE_BY = "origin"
SLICES = 10


def evaluate(step: Step) -> None:
    unit = str(step.params.get("distance_unit", "miles"))
    show_progress(0, "reading the evaluation set")
    features, labels, others = read_table(step.inputs["evaluation"], unit)
    trained_features, trained_labels, _ = read_table(step.inputs["training"], unit)

    session = onnxruntime.InferenceSession(step.inputs["model"], providers=["CPUExecutionProvider"])
    (answers,) = session.run(["probability"], {"features": features.to_numpy()})
    probabilities = answers[:, 0].astype("float64")
    baseline = roc_auc_score(labels, baseline_scores(trained_features, trained_labels, features))
    auc = roc_auc_score(labels, probabilities)
    margin = auc_margin(probabilities, labels)
    metrics = {
        "auc": auc,
        "auc_low": max(0.0, auc - margin),
        "auc_high": min(1.0, auc + margin),
        "log_loss": log_loss(labels, probabilities),
        "brier": brier_score_loss(labels, probabilities),
        "calibration_error": calibration_error(probabilities, labels),
        "rows": len(labels),
    }
    report = json.loads(Path(step.inputs["report"]).read_text())
    with mlflow.start_run(run_id=report["mlflow_run"]):
        mlflow.log_metrics(metrics)
    step.write(
        "metrics",
        {
            "metrics": metrics,
            "baseline": {"name": f"late share by {' and '.join(BASELINE_FEATURES)}", "metrics": {"auc": baseline}},
            "slices": slices(others[SLICE_BY], probabilities, labels),
        },
    )
    show_progress(1, f"AUC {auc:.3f}, baseline {baseline:.3f}")


def baseline_scores(trained: pandas.DataFrame, labels: numpy.ndarray, asked: pandas.DataFrame) -> numpy.ndarray:
    """For each feature the log-odds of being late among the training rows of the same of 24 bins, added up."""
    scores = numpy.zeros(len(asked))
    for name in BASELINE_FEATURES:
        edges = quantile_cuts(trained[name].to_numpy(), 24)
        trained_bins = bins_of(edges, trained[name].to_numpy())
        late = numpy.bincount(trained_bins, weights=labels, minlength=len(edges) + 2) + 1
        on_time = numpy.bincount(trained_bins, weights=1 - labels, minlength=len(edges) + 2) + 1
        scores += numpy.log(late / on_time)[bins_of(edges, asked[name].to_numpy())]
    return scores


def bins_of(edges: numpy.ndarray, values: numpy.ndarray) -> numpy.ndarray:
    """A missing value has the last bin for itself."""
    bins = numpy.searchsorted(edges, values, side="right")
    return numpy.where(numpy.isnan(values), len(edges) + 1, bins)


def auc_margin(scores: numpy.ndarray, labels: numpy.ndarray) -> float:
    """Half the 95 % confidence interval of the AUC (DeLong, DeLong and Clarke-Pearson 1988)."""
    ranks = pandas.Series(scores).rank().to_numpy()
    positive = labels == 1
    wins = (ranks[positive] - pandas.Series(scores[positive]).rank().to_numpy()) / (~positive).sum()
    losses = 1 - (ranks[~positive] - pandas.Series(scores[~positive]).rank().to_numpy()) / positive.sum()
    return 1.96 * math.sqrt(wins.var(ddof=1) / len(wins) + losses.var(ddof=1) / len(losses))


def calibration_error(probabilities: numpy.ndarray, labels: numpy.ndarray) -> float:
    """Mean distance of probability and observed share in ten equally wide bins, by rows."""
    bins = numpy.minimum(9, (probabilities * 10).astype(int))
    surplus = numpy.bincount(bins, weights=probabilities - labels, minlength=10)
    return float(numpy.abs(surplus).sum() / len(labels))


def slices(values: pandas.Series, probabilities: numpy.ndarray, labels: numpy.ndarray) -> list[dict]:
    """The largest slices first; one with a single label has no AUC."""
    result = []
    for value in values.value_counts().index[:SLICES]:
        rows = (values == value).to_numpy()
        both = len(set(labels[rows])) == 2
        metrics = {"auc": roc_auc_score(labels[rows], probabilities[rows])} if both else {}
        result.append({"slice": f"{SLICE_BY}={value}", "rows": int(rows.sum()), "metrics": metrics})
    return result


if __name__ == "__main__":
    run_step(evaluate)
