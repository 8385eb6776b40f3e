"""What teams do with the whole of the stock client; prints what it saw as JSON."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lightgbm
import mlflow
import numpy
import pandas
import xgboost
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

seen = {}
client = MlflowClient()
random = numpy.random.default_rng(1)
rows = pandas.DataFrame(random.random((200, 3)), columns=["first", "second", "third"])
labels = (rows["first"] > rows["second"]).astype(int)


def refusal(call):
    try:
        call()
        return "nothing"
    except MlflowException as error:
        return error.error_code


def autolog():
    mlflow.set_experiment("autolog")
    seen["autologged"] = {}
    for name, fit in {
        "sklearn": lambda: LogisticRegression().fit(rows, labels),
        "xgboost": lambda: xgboost.train({"max_depth": 2}, xgboost.DMatrix(rows, labels), 3),
        "lightgbm": lambda: lightgbm.train({"verbose": -1}, lightgbm.Dataset(rows, labels), 3),
    }.items():
        getattr(mlflow, name).autolog(silent=True)
        with mlflow.start_run(run_name=name) as run:
            fit()
        getattr(mlflow, name).autolog(disable=True)
        outputs = client.get_run(run.info.run_id).outputs.model_outputs
        logged = mlflow.get_logged_model(outputs[0].model_id)
        seen["autologged"][name] = [len(outputs), logged.status.value, len(client.get_run(run.info.run_id).data.params) > 0]


def parallel():
    mlflow.set_experiment("parallel")
    with mlflow.start_run(run_name="parent") as parent:
        def child(number):
            with mlflow.start_run(run_name=f"child {number}", nested=True, parent_run_id=parent.info.run_id):
                mlflow.log_metric("number", number)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(child, range(8)))
        for step in range(50):
            mlflow.log_metric("later", step, step=step, synchronous=False)
        mlflow.flush_async_logging()
    found = mlflow.search_runs(
        filter_string=f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'", order_by=["metrics.number DESC"]
    )
    experiment = mlflow.get_experiment_by_name("parallel").experiment_id
    pages, token = [], None
    while True:
        page = client.search_runs([experiment], max_results=4, page_token=token, order_by=["start_time ASC"])
        pages.append(len(page))
        token = page.token
        if not token:
            break
    seen["parallel"] = {
        "children": found["metrics.number"].tolist(),
        "later": len(client.get_metric_history(parent.info.run_id, "later")),
        "pages": pages,
        "either": len(mlflow.search_runs(filter_string="metrics.number = 1 or metrics.number = 2")),
    }


def models():
    mlflow.set_experiment("models")
    model = LogisticRegression().fit(rows, labels)
    with mlflow.start_run() as run:
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            input_example=rows.head(2),
            serialization_format="pickle",
            registered_model_name="Churn Model_v1.0",
        )
        dataset = mlflow.data.from_pandas(rows.assign(label=labels), name="rows", targets="label")
        mlflow.log_metric("auc", 0.9, model_id=logged.model_id, dataset=dataset)
    name = "Churn Model_v1.0"
    expected = model.predict(rows).tolist()
    client.set_registered_model_alias(name, "Champion", "1")
    uris = [f"runs:/{run.info.run_id}/model", f"models:/{logged.model_id}", f"models:/{name}/1", f"models:/{name}@Champion"]
    seen["loaded"] = [mlflow.sklearn.load_model(uri).predict(rows).tolist() == expected for uri in uris]
    seen["pyfunc"] = mlflow.pyfunc.load_model(f"models:/{name}@Champion").predict(rows).tolist() == expected

    client.set_model_version_tag(name, "1", "checked", "yes")
    client.set_registered_model_tag(name, "team", "a")
    client.update_model_version(name, "1", "the first")
    client.update_registered_model(name, "who leaves")
    copied = client.copy_model_version(f"models:/{name}/1", "churn.production")
    version = client.get_model_version(name, "1")
    seen["version"] = [version.tags["checked"], version.description, list(version.aliases), version.run_id == run.info.run_id, copied.version]
    seen["copied"] = mlflow.sklearn.load_model("models:/churn.production/1").predict(rows).tolist() == expected
    staged = client.transition_model_version_stage(name, "1", "Production")
    seen["stage"] = [staged.current_stage, [one.version for one in client.get_latest_versions(name, ["Production"])]]
    seen["by_stage"] = mlflow.sklearn.load_model(f"models:/{name}/Production").predict(rows).tolist() == expected
    seen["searched"] = {
        "models": [one.name for one in client.search_registered_models("tags.team = 'a'")],
        "order": [one.name for one in client.search_registered_models(order_by=["name DESC"])],
        "versions": [one.version for one in client.search_model_versions(f"run_id = '{run.info.run_id}' and tags.checked = 'yes'")],
        "logged": [
            one.name
            for one in mlflow.search_logged_models(
                experiment_ids=[run.info.experiment_id],
                filter_string="metrics.auc > 0.8 and name = 'model'",
                datasets=[{"dataset_name": "rows"}],
                order_by=[{"field_name": "metrics.auc", "ascending": False}],
                output_format="list",
            )
        ],
    }
    client.delete_model_version_tag(name, "1", "checked")
    client.delete_registered_model_tag(name, "team")
    client.delete_registered_model_alias(name, "Champion")
    client.rename_registered_model("churn.production", "churn.live")
    renamed = client.get_registered_model("churn.live")
    seen["renamed"] = [renamed.name, mlflow.sklearn.load_model("models:/churn.live/1").predict(rows).tolist() == expected]
    client.delete_model_version("churn.live", "1")
    seen["deleted"] = refusal(lambda: client.get_model_version("churn.live", "1"))
    client.delete_registered_model("churn.live")
    seen["gone"] = refusal(lambda: client.get_registered_model("churn.live"))
    client.delete_logged_model(logged.model_id)
    seen["logged_gone"] = refusal(lambda: client.get_logged_model(logged.model_id))
    seen["still"] = mlflow.sklearn.load_model(f"models:/{name}/1").predict(rows).tolist() == expected
    serve(f"models:/{name}/1", expected)


def serve(uri, expected):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local", "-p", str(port)]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    server = subprocess.Popen(
        command, stdout=sys.stderr, stderr=sys.stderr, start_new_session=True, env={**os.environ, "PATH": path}
    )
    try:
        body = json.dumps({"dataframe_split": rows.to_dict("split")}).encode()
        for _ in range(600):
            try:
                request = urllib.request.Request(
                    f"http://127.0.0.1:{port}/invocations", body, {"content-type": "application/json"}
                )
                seen["served"] = json.load(urllib.request.urlopen(request))["predictions"] == expected
                break
            except OSError:
                if server.poll() is not None:
                    raise
                time.sleep(0.1)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, 15)
        server.wait()


def evaluate():
    mlflow.set_experiment("evaluate")
    with mlflow.start_run() as run:
        data = rows.assign(label=labels, prediction=labels)
        mlflow.models.evaluate(data=data, predictions="prediction", targets="label", model_type="classifier", evaluators="default")
    metrics = client.get_run(run.info.run_id).data.metrics
    seen["evaluated"] = [metrics["accuracy_score"], len(client.list_artifacts(run.info.run_id)) > 0]


def prompts():
    first = mlflow.genai.register_prompt("summary.prompt", "Summarise {{text}}", commit_message="first", tags={"task": "summary"})
    second = mlflow.genai.register_prompt("summary.prompt", "Summarise {{text}} briefly", commit_message="second")
    chat = mlflow.genai.register_prompt("chat", [{"role": "user", "content": "{{question}}"}])
    mlflow.genai.set_prompt_alias("summary.prompt", "production", 1)
    loaded = mlflow.genai.load_prompt("prompts:/summary.prompt@production")
    seen["prompts"] = {
        "versions": [first.version, second.version, chat.version],
        "text": loaded.format(text="this"),
        "second": mlflow.genai.load_prompt("summary.prompt", version=2).template,
        "tags": loaded.tags,
        "message": loaded.commit_message,
        "chat": mlflow.genai.load_prompt("chat", version=1).template,
        "found": sorted(one.name for one in mlflow.genai.search_prompts()),
        "among_models": [one.name for one in client.search_registered_models() if "prompt" in one.name],
        "source": refusal(
            lambda: client.create_model_version("summary.prompt", "/etc", tags={"mlflow.prompt.is_prompt": "true"})
        ),
    }


def files():
    mlflow.set_experiment("files")
    os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
    os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = "1000000"
    os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = "5242880"
    content = random.bytes(12_000_000)
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
        Path(folder, "large.bin").write_bytes(content)
        mlflow.log_artifact(str(Path(folder, "large.bin")), "deep/er")
        for number in range(20):
            mlflow.log_text(str(number), f"many/{number:02}.txt")
    path = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="deep/er/large.bin")
    repository = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(run.info.artifact_uri)
    repository.delete_artifacts("many/03.txt")
    seen["files"] = {
        "same": Path(path).read_bytes() == content,
        "listed": len(client.list_artifacts(run.info.run_id, "many")),
        "absent": refusal(lambda: mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/many/03.txt")),
    }


if __name__ == "__main__":
    for step in (autolog, parallel, models, evaluate, prompts, files):
        began = time.time()
        step()
        print(f"{step.__name__}: {time.time() - began:.1f} s", file=sys.stderr)
    print(json.dumps(seen))
