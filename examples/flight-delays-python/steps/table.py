"""Training sets: CSV with a header, where the columns before `label` (0 or 1) are the features, in their order."""

import numpy
import pandas

KILOMETRES_PER_MILE = 1.609344


def read_table(path: str, distance_unit: str) -> tuple[pandas.DataFrame, numpy.ndarray, pandas.DataFrame]:
    """Features as 32-bit floats (NaN is a missing value), labels, and the columns after the label."""
    table = pandas.read_csv(path)
    if "label" not in table.columns[1:]:
        raise ValueError('The table needs feature columns followed by a column named "label".')
    label = table.columns.get_loc("label")
    features = table.iloc[:, :label].astype("float32")
    if distance_unit == "kilometres":
        features["distance"] *= numpy.float32(KILOMETRES_PER_MILE)
    elif distance_unit != "miles":
        raise ValueError(f'The parameter "distance_unit" is miles or kilometres, not "{distance_unit}".')
    return features, table["label"].to_numpy(), table.iloc[:, label + 1 :]


def quantile_cuts(values: numpy.ndarray, bins: int) -> numpy.ndarray:
    """Edges between about equally full bins, each halfway between two values that occur, so that rounding moves none."""
    present = numpy.unique(values[~numpy.isnan(values)])
    ordered = numpy.sort(values[~numpy.isnan(values)])
    if len(present) < 2:
        return numpy.array([])
    wanted = ordered[[len(ordered) * index // bins for index in range(1, bins)]]
    at = numpy.unique(numpy.searchsorted(present, wanted))
    at = at[at > 0]
    return (present[at - 1].astype("float64") + present[at]) / 2


def profile_features(features: pandas.DataFrame) -> list[dict]:
    """How each feature was distributed in training; live values are compared with it."""
    return [profile_feature(name, features[name].to_numpy()) for name in features.columns]


def profile_feature(name: str, values: numpy.ndarray) -> dict:
    present = values[~numpy.isnan(values)].astype("float64")
    edges = quantile_cuts(values, 10)
    counts = numpy.bincount(numpy.searchsorted(edges, present, side="right"), minlength=len(edges) + 1)
    empty = len(present) == 0
    return {
        "name": name,
        "count": len(values),
        "nulls": len(values) - len(present),
        "mean": None if empty else present.mean(),
        "std": None if empty else present.std(),
        "min": None if empty else present.min(),
        "max": None if empty else present.max(),
        "edges": edges.tolist(),
        "counts": counts.tolist(),
    }
