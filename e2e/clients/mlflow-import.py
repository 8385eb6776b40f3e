"""Seeds an MLflow of one SQLite file, and compares two of them through the stock client."""

import json
import math
import os
import sys

import mlflow
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Metric, ViewType
from mlflow.tracing.attachments import Attachment
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent


def seed(file, artifacts):
    client = MlflowClient(tracking_uri=f"sqlite:///{file}")
    mlflow.set_tracking_uri(f"sqlite:///{file}")
    trees = client.create_experiment("trees 🌲", artifact_location=f"file://{artifacts}/trees", tags={"team": "fliers"})
    gone = client.create_experiment("gone", artifact_location=f"file://{artifacts}/gone")
    mlflow.set_experiment(experiment_id=trees)
    for depth in range(3):
        with mlflow.start_run(run_name=f"depth-{depth}") as run:
            mlflow.log_params({"depth": depth, "text": "x" * 500})
            mlflow.set_tag("purpose", "trial")
            points = [Metric("loss", 1 / (step + 1), 1_700_000_000_000 + step, step) for step in range(2500)]
            for start in range(0, len(points), 1000):
                client.log_batch(run.info.run_id, metrics=points[start : start + 1000])
            mlflow.log_metric("broken", math.nan)
            mlflow.log_metric("huge", math.inf)
            mlflow.log_text("hello", "notes/a b.txt")
            mlflow.log_dict({"depth": depth}, "config.json")
    with mlflow.start_run(run_name="deleted") as run:
        mlflow.log_metric("loss", 3)
    client.delete_run(run.info.run_id)
    with mlflow.start_run(run_name="failed", nested=False) as run:
        pass
    client.set_terminated(run.info.run_id, "FAILED", end_time=1_700_000_005_000)
    import numpy as np
    from sklearn.linear_model import LinearRegression

    with mlflow.start_run(run_name="model") as run:
        model = LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([0.0, 2.0]))
        info = mlflow.sklearn.log_model(model, name="line", input_example=np.array([[1.0]]), registered_model_name="line")
        mlflow.log_metric("rmse", 0.25, model_id=info.model_id)
        data = mlflow.data.from_numpy(np.array([[0.0], [1.0]]), name="points")
        mlflow.log_input(data, context="training")
    client.create_model_version("line", info.model_uri, run_id=run.info.run_id, description="again")
    client.create_model_version("line", info.model_uri, run_id=run.info.run_id)
    client.delete_model_version("line", "2")
    client.set_registered_model_alias("line", "champion", "3")
    client.transition_model_version_stage("line", "1", "Archived")
    client.set_model_version_tag("line", "3", "checked", "yes")
    client.update_registered_model("line", "A straight line")
    client.create_registered_model("empty", tags={"a": "b"})
    mlflow.genai.register_prompt("greeting", template="Hello {{name}}", tags={"tone": "warm"})
    mlflow.genai.register_prompt("greeting", template="Hi {{name}}", commit_message="shorter")
    mlflow.genai.set_prompt_alias("greeting", alias="live", version=2)
    seed_traces(client, trees)
    client.delete_experiment(gone)


def seed_traces(client, experiment):
    mlflow.set_experiment(experiment_id=experiment)
    for number in range(30):
        with mlflow.start_span(name="answer", span_type="CHAIN", attributes={"number": number, "half": 0.5, "one": 1.0}) as root:
            root.set_inputs({"question": f"How tall is tree {number}? 🌲", "big": 2**60})
            with mlflow.start_span(name="retrieve", span_type="RETRIEVER") as child:
                child.set_outputs([{"page_content": "x" * 500, "metadata": {"doc_uri": "a"}}])
                child.add_event(mlflow.entities.SpanEvent("looked", attributes={"rows": 3}))
            with mlflow.start_span(name="generate", span_type="CHAT_MODEL") as child:
                child.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 7, "output_tokens": number, "total_tokens": 7 + number})
                if number == 3:
                    child.set_status("ERROR")
                if number == 5:
                    child.set_inputs({"image": Attachment(content_type="image/png", content_bytes=b"\x89PNG" + bytes(1000))})
            root.set_outputs({"answer": None if number == 4 else "tall"})
        trace = root.trace_id
        if number < 3:
            mlflow.set_trace_tag(trace, "reviewed", f"no {number}")
    mlflow.flush_trace_async_logging()
    traces = [trace.info.trace_id for trace in client.search_traces(locations=[experiment], max_results=100)]
    assert len(traces) == 30, traces
    first, second = traces[:2]
    human = AssessmentSource("HUMAN", "ada@example.com")
    wrong = mlflow.log_feedback(trace_id=first, name="right", value=False, source=human, rationale="looks wrong")
    mlflow.override_feedback(trace_id=first, assessment_id=wrong.assessment_id, value=True, source=human, rationale="it is not")
    mlflow.log_feedback(trace_id=first, name="grades", value={"style": 0.5, "facts": [1, 2]}, source=AssessmentSource("LLM_JUDGE", "judge"), metadata={"why": "asked"})
    mlflow.log_feedback(trace_id=second, name="failed", error=ValueError("no answer"), source=AssessmentSource("CODE", "check"))
    mlflow.log_expectation(trace_id=second, name="height", value={"metres": 12}, source=human)
    run = client.search_runs([experiment])[0]
    client.link_traces_to_run([first, second], run.info.run_id)
    dataset = mlflow.genai.create_dataset(name="questions", experiment_id=[experiment], tags={"kind": "trial"})
    dataset.merge_records(
        [{"inputs": {"question": f"tree {n}", "n": n}, "expectations": {"metres": n}, "tags": {"part": "a"}} for n in range(5)]
    )
    dataset.merge_records([{"inputs": {"question": "last", "n": -1}, "outputs": "nothing"}])
    store = mlflow.tracking._tracking_service.utils._get_store()
    for version in range(2):
        store.register_scorer(experiment, "short", json.dumps({"name": "short", "version": version}))
    hooks = mlflow.tracking._model_registry.utils._get_store()
    hooks.create_webhook(
        name="chat",
        url="https://93.184.216.34/hook",
        events=[WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)],
        secret="hidden",
    )


def value(number):
    """MLflow keeps an infinity as the largest number there is."""
    return "inf" if number >= 1.7976931348623157e308 else str(number)


def describe_assessment(assessment):
    """Whether an expectation is valid is told by the database alone, not by any server."""
    told = assessment.to_dictionary()
    if "expectation" in told:
        told.pop("valid", None)
    return told


def describe_traces(client, experiment):
    told = {}
    token = None
    while True:
        page = client.search_traces(locations=[experiment], max_results=100, include_spans=False, page_token=token)
        for found in page:
            trace = client.get_trace(found.info.trace_id)
            info = trace.info
            own = ("pave.", "mlflow.artifactLocation")
            told[info.trace_id] = {
                "state": str(info.state),
                "times": [info.request_time, info.execution_duration],
                "previews": [info.request_preview, info.response_preview, info.client_request_id],
                "tags": {key: text for key, text in info.tags.items() if not key.startswith(own)},
                "metadata": info.trace_metadata,
                "spans": sorted((span.to_dict() for span in trace.data.spans), key=lambda span: span["span_id"]),
                "assessments": sorted(
                    (describe_assessment(one) for one in info.assessments), key=lambda one: one["assessment_id"]
                ),
            }
        token = page.token
        if not token:
            return told


def describe_datasets(experiment):
    store = mlflow.tracking._tracking_service.utils._get_store()
    told = {}
    for dataset in mlflow.genai.search_datasets(experiment_ids=[experiment]):
        told[dataset.dataset_id] = {
            "name": dataset.name,
            "tags": dataset.tags,
            "digest": dataset.digest,
            "times": [dataset.created_time, dataset.last_update_time],
            "profile": json.loads(dataset.profile),
            "schema": json.loads(dataset.schema),
            "records": [
                {
                    "id": record.dataset_record_id,
                    "inputs": record.inputs,
                    "outputs": record.outputs,
                    "expectations": record.expectations or {},
                    "tags": record.tags or {},
                    "times": [record.created_time, record.last_update_time],
                }
                for record in dataset._mlflow_dataset.records
            ],
        }
    return told


def describe_scorers(experiment):
    store = mlflow.tracking._tracking_service.utils._get_store()
    return [
        [one.scorer_id, one.scorer_name, one.scorer_version, one._serialized_scorer, one.creation_time]
        for scorer in store.list_scorers(experiment)
        for one in store.list_scorer_versions(experiment, scorer.scorer_name)
    ]


def describe(uri):
    """Everything that the stock client tells, without where the files lie."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    told = {"experiments": {}, "models": {}}
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        runs = {}
        for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
            run = client.get_run(run.info.run_id)
            files = {}
            if run.info.lifecycle_stage == "active":
                todo = [None]
                while todo:
                    for file in client.list_artifacts(run.info.run_id, todo.pop()):
                        if file.is_dir:
                            todo.append(file.path)
                        else:
                            with open(client.download_artifacts(run.info.run_id, file.path), "rb") as content:
                                files[file.path] = content.read().decode("utf8", "replace")
            runs[run.info.run_id] = {
                "name": run.info.run_name,
                "status": run.info.status,
                "stage": run.info.lifecycle_stage,
                "times": [run.info.start_time, run.info.end_time],
                "params": run.data.params,
                "tags": {key: text for key, text in run.data.tags.items() if not key.startswith("pave.")},
                "metrics": {
                    key: [
                        [value(point.value), point.timestamp, point.step]
                        for point in client.get_metric_history(run.info.run_id, key)
                    ]
                    for key in run.data.metrics
                },
                "inputs": [[one.dataset.name, one.dataset.digest, [[tag.key, tag.value] for tag in one.tags]] for one in run.inputs.dataset_inputs],
                "outputs": [one.model_id for one in run.outputs.model_outputs] if run.outputs else [],
                "traces": sorted(
                    trace.info.trace_id
                    for trace in client.search_traces(
                        locations=[experiment.experiment_id], run_id=run.info.run_id, include_spans=False
                    )
                ),
                "files": files,
            }
        told["experiments"][experiment.name] = {
            "id": experiment.experiment_id,
            "stage": experiment.lifecycle_stage,
            "tags": experiment.tags,
            "created": experiment.creation_time,
            "runs": runs,
            "traces": describe_traces(client, experiment.experiment_id),
            "datasets": describe_datasets(experiment.experiment_id) if experiment.lifecycle_stage == "active" else {},
            "scorers": describe_scorers(experiment.experiment_id) if experiment.lifecycle_stage == "active" else [],
            "models": {
                model.model_id: {
                    "name": model.name,
                    "status": str(model.status),
                    "run": model.source_run_id,
                    "params": model.params,
                    "created": model.creation_timestamp,
                    "metrics": sorted([point.key, value(point.value), point.step] for point in model.metrics or []),
                }
                for model in client.search_logged_models([experiment.experiment_id])
            },
        }
    prompts = client.search_registered_models("tags.`mlflow.prompt.is_prompt` = 'true'")
    for model in [*client.search_registered_models(), *prompts]:
        told["models"][model.name] = {
            "description": model.description or "",
            "tags": model.tags,
            "aliases": {alias: int(version) for alias, version in model.aliases.items()},
            "versions": {
                int(version.version): {
                    "run": version.run_id or "",
                    "description": version.description or "",
                    "stage": version.current_stage,
                    "tags": {key: text for key, text in version.tags.items() if not key.startswith("pave.")},
                    "created": version.creation_timestamp,
                }
                for kind in ("", " AND tags.`mlflow.prompt.is_prompt` = 'true'")
                for version in client.search_model_versions(f"name = '{model.name}'{kind}")
            },
        }
    return told


if sys.argv[1] == "seed":
    seed(*sys.argv[2:])
else:
    print(json.dumps(describe(sys.argv[2]), sort_keys=True))
