"""The everyday calls of a client that is some releases behind; prints what it saw as JSON."""

import json

import mlflow
import pandas
from mlflow import MlflowClient

seen = {"version": mlflow.__version__}
client = MlflowClient()
name = f"older-{mlflow.__version__.replace('.', '-')}"
mlflow.set_experiment(name)


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["x"] * 2


with mlflow.start_run() as run:
    mlflow.log_param("depth", 6)
    mlflow.log_metric("auc", 0.5, step=0)
    mlflow.log_metric("auc", 0.75, step=1)
    mlflow.set_tag("team", "a")
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.pyfunc.log_model(name="model", python_model=Doubler(), registered_model_name=name, pip_requirements=[])

data = client.get_run(run.info.run_id).data
seen["run"] = {
    "params": data.params,
    "metrics": data.metrics,
    "tags": {key: value for key, value in data.tags.items() if not key.startswith("mlflow.")},
}
seen["history"] = [point.value for point in client.get_metric_history(run.info.run_id, "auc")]
seen["found"] = len(mlflow.search_runs(filter_string="metrics.auc > 0.7 and params.depth = '6'"))
seen["text"] = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/hello.txt")
client.set_registered_model_alias(name, "champion", "1")
seen["alias"] = client.get_model_version_by_alias(name, "champion").version
model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
seen["predicted"] = list(model.predict(pandas.DataFrame({"x": [1, 2]})))
mlflow.genai.register_prompt(f"{name}-prompt", "Hello {{name}}")
seen["prompt"] = mlflow.genai.load_prompt(f"{name}-prompt", version=1).format(name="Ada")
print(json.dumps(seen, default=int))
