"""Rows to compare a model and its graph on: the model's logged example, and rows drawn by a seeded generator."""

from dataclasses import dataclass, field

import numpy
import pandas

NUMBERS = {"double", "float", "long", "integer", "boolean"}
WHOLE = {"long", "integer"}


@dataclass
class Samples:
    """A table, or for neural networks the tensors by name, and how many rows came from where."""

    rows: pandas.DataFrame | dict[str, numpy.ndarray]
    origins: dict[str, int] = field(default_factory=dict)
    # Whether the model takes a table with names of columns, and not an array.
    named: bool = True


class NoSamples(Exception):
    """Nothing says what the model takes."""


def draw_table(signature, example, request: dict, width: int | None) -> Samples:
    """`signature` and `example` are MLflow's; `request` holds the version's features and profile; `width` the model's own."""
    columns, types, named = _columns(signature, example, request, width)
    count, seed = request["samples"], request["seed"]
    given = _as_table(example, columns)
    profiles = {one["name"]: one for one in request["profile"]}
    by_position = [profiles.get(name) for name in request["features"]]
    generator = numpy.random.default_rng(seed)
    drawn: dict[str, object] = {}
    from_profile = False
    for at, name in enumerate(columns):
        profile = profiles.get(name) or (by_position[at] if len(by_position) == len(columns) else None)
        known = None if given is None else given[name].dropna()
        if profile is not None and types[name] in NUMBERS:
            drawn[name] = _from_profile(profile, count, generator, types[name])
            from_profile = True
        elif known is not None and len(known) > 0:
            drawn[name] = _around(known, count, generator, types[name])
        elif types[name] in NUMBERS:
            drawn[name] = _any_number(count, generator, types[name])
        else:
            raise NoSamples(f"column {name} holds {types[name]}, of which no values can be made up: log an input example")
    table = pandas.DataFrame(drawn, columns=columns)
    origins = {"profile" if from_profile else "signature" if given is None else "around the example": count}
    if given is not None:
        table = pandas.concat([given, table], ignore_index=True)
        origins = {"example": len(given), **origins}
    for name in columns:
        if types[name] in NUMBERS:
            # What a graph of 32-bit numbers can be told exactly, so that only the computing is compared.
            table[name] = table[name].astype("float32").astype("float64")
    return Samples(table, origins, named)


def draw_tensors(signature, example, request: dict) -> Samples:
    """Of a neural network: normally distributed, or whole numbers, in the shapes that the signature or example has."""
    given = _as_tensors(example)
    specs = {}
    if signature is not None and signature.inputs is not None and signature.inputs.is_tensor_spec():
        for spec in signature.inputs.inputs:
            specs[spec.name or "input"] = (numpy.dtype(spec.type), list(spec.shape))
    elif given:
        # An example travels as JSON, which knows no 32-bit numbers: what networks take unless told otherwise.
        dtypes = {name: numpy.dtype("float32") if one.dtype.kind == "f" else one.dtype for name, one in given.items()}
        specs = {name: (dtypes[name], [-1, *one.shape[1:]]) for name, one in given.items()}
    if not specs:
        raise NoSamples("the model has neither a signature of tensors nor an input example: log it with one of them")
    if given and list(given) == ["input"] and len(specs) == 1:
        given = {name: given["input"] for name in specs}
    generator = numpy.random.default_rng(request["seed"])
    count = request["samples"]
    tensors = {}
    for name, (dtype, shape) in specs.items():
        size = [count, *[_free(dimension, axis, given.get(name)) for axis, dimension in enumerate(shape)][1:]]
        if dtype.kind in "iu":
            # Whole numbers are usually places in a table whose length nobody told: those of the example are within it.
            most = int(given[name].max()) + 1 if name in given and given[name].size > 0 else 2
            tensors[name] = generator.integers(0, max(most, 1), size=size).astype(dtype)
        elif dtype.kind == "b":
            tensors[name] = generator.integers(0, 2, size=size).astype(dtype)
        else:
            tensors[name] = generator.standard_normal(size=size).astype(dtype)
        if name in given:
            tensors[name] = numpy.concatenate([given[name].astype(dtype), tensors[name]])
    origins = {"signature": count}
    if given:
        origins = {"example": len(next(iter(given.values()))), **origins}
    return Samples(tensors, origins)


def only_example(samples: Samples) -> Samples | None:
    """Without the rows that were made up; none when there is no example."""
    count = samples.origins.get("example", 0)
    if count == 0 or len(samples.origins) == 1:
        return None
    rows = samples.rows
    kept = rows.head(count) if isinstance(rows, pandas.DataFrame) else {name: one[:count] for name, one in rows.items()}
    return Samples(kept, {"example": count}, samples.named)


def _columns(signature, example, request: dict, width: int | None):
    if signature is not None and signature.inputs is not None:
        inputs = signature.inputs
        if not inputs.is_tensor_spec() and all(getattr(one, "name", None) for one in inputs.inputs):
            types = {one.name: getattr(one.type, "name", str(one.type)) for one in inputs.inputs}
            return list(types), types, True
        if inputs.is_tensor_spec() and len(inputs.inputs) == 1 and len(inputs.inputs[0].shape) == 2:
            size = inputs.inputs[0].shape[1]
            if size > 0:
                width = size
    if isinstance(example, pandas.DataFrame):
        types = {str(name): _type_of(example[name]) for name in example.columns}
        return list(types), types, True
    if isinstance(example, numpy.ndarray) and example.ndim == 2:
        width = example.shape[1]
    if width is None and request["features"]:
        width = len(request["features"])
    if width is None:
        raise NoSamples("the model has neither a signature nor an input example: log it with one of them")
    names = [f"f{at}" for at in range(width)]
    return names, dict.fromkeys(names, "double"), False


def _type_of(column: pandas.Series) -> str:
    kind = column.dtype.kind
    return {"f": "double", "i": "long", "u": "long", "b": "boolean"}.get(kind, "string")


def _as_table(example, columns: list[str]) -> pandas.DataFrame | None:
    if isinstance(example, pandas.DataFrame) and list(map(str, example.columns)) == columns:
        return example.rename(columns=str).reset_index(drop=True)
    if isinstance(example, numpy.ndarray) and example.ndim == 2 and example.shape[1] == len(columns):
        return pandas.DataFrame(example, columns=columns)
    return None


def _as_tensors(example) -> dict[str, numpy.ndarray]:
    if isinstance(example, dict):
        return {str(name): numpy.asarray(value) for name, value in example.items()}
    if isinstance(example, pandas.DataFrame):
        return {"input": example.to_numpy()}
    return {} if example is None else {"input": numpy.asarray(example)}


def _free(dimension: int, axis: int, example: numpy.ndarray | None) -> int:
    if dimension > 0:
        return dimension
    return example.shape[axis] if example is not None and example.ndim > axis else 3


def _from_profile(profile: dict, count: int, generator, kind: str) -> numpy.ndarray:
    low = profile["min"] if profile["min"] is not None else 0.0
    high = profile["max"] if profile["max"] is not None else low
    counts = numpy.array(profile["counts"], dtype="float64")
    if counts.sum() > 0 and len(counts) == len(profile["edges"]) + 1:
        edges = numpy.clip(numpy.array([low, *profile["edges"], high]), low, high)
        bins = generator.choice(len(counts), size=count, p=counts / counts.sum())
        values = generator.uniform(edges[bins], numpy.maximum(edges[bins], edges[bins + 1]))
    else:
        values = generator.uniform(low, max(low, high), size=count)
    if kind in WHOLE:
        values = numpy.round(values)
    share = profile["nulls"] / profile["count"] if profile["count"] > 0 else 0.0
    return numpy.where(generator.random(count) < share, numpy.nan, values)


def _around(known: pandas.Series, count: int, generator, kind: str) -> numpy.ndarray:
    """Values of the example; numbers also between and a little beyond them."""
    picked = known.to_numpy()[generator.integers(0, len(known), size=count)]
    if kind not in NUMBERS or kind == "boolean":
        return picked
    numbers = known.to_numpy(dtype="float64")
    spread = float(numbers.std()) or max(1.0, abs(float(numbers.mean())) * 0.1)
    moved = picked.astype("float64") + generator.normal(0, spread, size=count)
    moved = numpy.clip(moved, numbers.min() - spread, numbers.max() + spread)
    if numbers.min() >= 0:
        moved = numpy.abs(moved)
    return numpy.round(moved) if kind in WHOLE else moved


def _any_number(count: int, generator, kind: str) -> numpy.ndarray:
    if kind == "boolean":
        return generator.integers(0, 2, size=count).astype("float64")
    if kind in WHOLE:
        return generator.integers(0, 100, size=count).astype("float64")
    return generator.standard_normal(count)
