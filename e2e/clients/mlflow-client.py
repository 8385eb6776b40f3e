"""What a data scientist does with the stock client; prints what it saw as JSON."""

import json
import math
import sys
import tempfile
from pathlib import Path

import mlflow
import mlflow.onnx
import mlflow.sklearn
import numpy
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from skl2onnx import to_onnx
from sklearn.ensemble import HistGradientBoostingClassifier

seen = {}
client = MlflowClient()

experiment = mlflow.set_experiment("stock-client")
seen["experiment"] = experiment.name
seen["again"] = mlflow.set_experiment("stock-client").experiment_id == experiment.experiment_id
client.set_experiment_tag(experiment.experiment_id, "team", "a")
seen["experiments"] = [one.name for one in client.search_experiments(filter_string="name LIKE 'stock%'")]

random = numpy.random.default_rng(1)
rows = random.random((500, 3), dtype=numpy.float32)
labels = (rows[:, 0] > rows[:, 1]).astype(int)
model = HistGradientBoostingClassifier(max_iter=5).fit(rows, labels)
graph = to_onnx(model, rows[:1], options={"zipmap": False}, target_opset=17)

with mlflow.start_run(run_name="first") as run:
    mlflow.log_param("depth", 6)
    mlflow.log_param("depth", 6)
    mlflow.log_params({"trees": 5, "rate": 0.1})
    for step, value in enumerate([0.9, math.nan, math.inf, 0.5]):
        mlflow.log_metric("loss", value, step=step)
    mlflow.log_metrics({"auc": 0.75, "broken": math.nan}, step=1)
    mlflow.set_tag("purpose", "trial")
    mlflow.set_tags({"a": 1, "b": "two words"})
    mlflow.log_input(mlflow.data.from_numpy(rows, name="rows"), context="training")
    mlflow.log_text("hello", "notes/hello ü.txt")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "big.bin").write_bytes(bytes(3_000_000))
        mlflow.log_artifact(str(Path(folder, "big.bin")))
    try:
        mlflow.log_param("depth", 7)
    except MlflowException as error:
        seen["changed_param"] = error.error_code
    mlflow.sklearn.log_model(model, name="trees", skops_trusted_types=["numpy.dtype"], serialization_format="pickle")
    logged = mlflow.onnx.log_model(graph, name="graph", save_as_external_data=False)
    mlflow.log_dict({"features": ["first", "second", "third"], "output": "probabilities"}, "pave/version.json")

read = client.get_run(run.info.run_id)
seen["run"] = {
    "name": read.info.run_name,
    "status": read.info.status,
    "params": read.data.params,
    "metrics": {key: str(value) for key, value in read.data.metrics.items()},
    "tags": {key: value for key, value in read.data.tags.items() if not key.startswith("mlflow.")},
    "inputs": [one.dataset.name for one in read.inputs.dataset_inputs],
    "outputs": len(read.outputs.model_outputs),
}
seen["history"] = [str(point.value) for point in client.get_metric_history(run.info.run_id, "loss")]
seen["files"] = sorted(one.path for one in client.list_artifacts(run.info.run_id))
with tempfile.TemporaryDirectory() as folder:
    path = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/notes", dst_path=folder)
    seen["text"] = Path(path, "hello ü.txt").read_text()
    path = mlflow.artifacts.download_artifacts(f"{run.info.artifact_uri}/big.bin", dst_path=folder)
    seen["bytes"] = Path(path).stat().st_size
seen["logged"] = {
    "pickled": mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/trees").predict(rows[:5]).tolist() == model.predict(rows[:5]).tolist(),
    "name": mlflow.get_logged_model(logged.model_id).name,
    "found": len(mlflow.search_logged_models(experiment_ids=[experiment.experiment_id], output_format="list")),
}

with mlflow.start_run(run_name="second"):
    mlflow.log_metric("auc", 0.5)
found = mlflow.search_runs(filter_string="metrics.auc > 0.6 and params.depth = '6' and tags.`b` = 'two words'")
seen["found"] = found["tags.mlflow.runName"].tolist()
ordered = mlflow.search_runs(order_by=["metrics.auc ASC"], filter_string="attributes.status = 'FINISHED'")
seen["ordered"] = ordered["tags.mlflow.runName"].tolist()
client.delete_run(found["run_id"][0])
seen["after_delete"] = len(mlflow.search_runs())
client.restore_run(found["run_id"][0])

version = mlflow.register_model(f"models:/{logged.model_id}", "stock-model")
seen["version"] = {
    "version": version.version,
    "status": version.status,
    "run": version.run_id == run.info.run_id,
    "same": mlflow.register_model(f"runs:/{run.info.run_id}/graph", "stock-model").version,
}
client.set_registered_model_alias("stock-model", "champion", version.version)
seen["alias"] = client.get_model_version_by_alias("stock-model", "champion").version
seen["models"] = {one.name: one.aliases for one in client.search_registered_models("name = 'stock-model'")}
seen["versions"] = [one.version for one in client.search_model_versions("name = 'stock-model'")]
loaded = mlflow.onnx.load_model("models:/stock-model@champion")
seen["loaded"] = loaded == graph
answer = mlflow.pyfunc.load_model("models:/stock-model/1").predict(rows[:5])
seen["close"] = bool(numpy.allclose(answer["probabilities"], model.predict_proba(rows[:5]), atol=1e-5))

refused = {}
for name, call in {
    "no model": lambda: mlflow.register_model(f"runs:/{run.info.run_id}/notes/none", "stock-model"),
    "unknown run": lambda: client.get_run("0" * 32),
    "unknown experiment": lambda: client.get_experiment("777"),
    "existing model": lambda: client.create_registered_model("stock-model"),
    "model name": lambda: client.create_registered_model("stock@model"),
    "file source": lambda: client.create_model_version("stock-model", "file:///etc/passwd"),
    "filter": lambda: mlflow.search_runs(filter_string="metrics.auc > 1 xor metrics.auc < 0"),
}.items():
    try:
        call()
        refused[name] = "nothing"
    except MlflowException as error:
        refused[name] = error.error_code
        print(f"{name}: {error}", file=sys.stderr)
seen["refused"] = refused

print(json.dumps(seen))
