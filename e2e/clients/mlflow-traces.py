"""What somebody who traces an application does with the stock client; prints what it saw as JSON."""

import json
import os
import sys
import time

import mlflow
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Feedback, SpanType
from mlflow.exceptions import MlflowException

seen = {}
client = MlflowClient()
experiment = mlflow.set_experiment("traced")


@mlflow.trace(span_type=SpanType.RETRIEVER)
def retrieve(question):
    return [{"page_content": f"about {question}", "score": 1.0, "big": 2**62}]


@mlflow.trace(span_type=SpanType.LLM, attributes={"model": "tiny"})
def generate(question, documents):
    span = mlflow.get_current_active_span()
    span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14})
    if question == "fail":
        raise ValueError("no answer")
    return f"{question}? ü 🛫"


@mlflow.trace(name="answer", span_type=SpanType.CHAIN)
def answer(question):
    mlflow.update_current_trace(tags={"question": question}, metadata={"mlflow.trace.session": "s-1"})
    return generate(question, retrieve(question))


with mlflow.start_run(run_name="with traces") as run:
    answer("why")
answer("when")
try:
    answer("fail")
except ValueError:
    pass
mlflow.flush_trace_async_logging()
seen["asynchronous"] = os.environ.get("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING")

found = mlflow.search_traces(locations=[experiment.experiment_id], return_type="list", order_by=["timestamp ASC"])
seen["found"] = [one.info.tags["question"] for one in found]
why, when, fail = found
seen["trace"] = {
    "state": [one.info.state.value for one in found],
    "spans": [(span.name, span.span_type, span.status.status_code.value) for span in why.data.spans],
    "inputs": why.data.spans[0].inputs,
    "outputs": why.data.spans[0].outputs,
    "documents": [type(value).__name__ for value in why.search_spans(name="retrieve")[0].outputs[0].values()],
    "big": why.search_spans(name="retrieve")[0].outputs[0]["big"] == 2**62,
    "tokens": why.info.token_usage,
    "preview": why.info.request_preview,
    "name": why.info.tags["mlflow.traceName"],
    "run": why.info.trace_metadata["mlflow.sourceRun"] == run.info.run_id,
    "session": why.info.trace_metadata["mlflow.trace.session"],
    "duration": why.info.execution_duration >= 0,
    "exception": [event.name for event in fail.search_spans(name="generate")[0].events],
    "one": mlflow.get_trace(why.info.trace_id).data.spans[1].name,
}


def search(filter_string, **options):
    found = mlflow.search_traces(
        locations=[experiment.experiment_id], filter_string=filter_string, return_type="list", **options
    )
    return sorted(one.info.tags.get("question", "") for one in found)


client.set_trace_tag(why.info.trace_id, "reviewed", "yes")
client.set_trace_tag(when.info.trace_id, "reviewed", "later")
client.delete_trace_tag(when.info.trace_id, "reviewed")
feedback = mlflow.log_feedback(
    trace_id=why.info.trace_id,
    name="helpful",
    value=0.8,
    rationale="short",
    source=AssessmentSource(source_type="HUMAN", source_id="ada"),
)
mlflow.log_feedback(trace_id=when.info.trace_id, name="helpful", value="no")
mlflow.log_expectation(trace_id=why.info.trace_id, name="expected", value={"answer": ["why?"], "n": 1})
judged = mlflow.override_feedback(
    trace_id=why.info.trace_id, assessment_id=feedback.assessment_id, value=0.9, rationale="longer"
)
mlflow.update_assessment(
    trace_id=why.info.trace_id,
    assessment_id=judged.assessment_id,
    assessment=Feedback(name="helpful", value=0.95, metadata={"seen": "twice"}),
)
read = mlflow.get_assessment(trace_id=why.info.trace_id, assessment_id=judged.assessment_id)
assessments = mlflow.get_trace(why.info.trace_id).info.assessments
seen["assessments"] = {
    "value": read.value,
    "metadata": read.metadata,
    "valid": [(one.name, one.valid) for one in assessments],
    "expectation": next(one.value for one in assessments if one.name == "expected"),
    "source": read.source.source_type,
}

seen["searches"] = {
    text: search(text)
    for text in [
        "trace.status = 'ERROR'",
        "attributes.status IN ('OK')",
        "name = 'answer' AND tags.question LIKE 'wh%'",
        "tags.reviewed IS NULL",
        "metadata.mlflow.trace.session = 's-1'",
        "span.name = 'generate' AND span.status = 'ERROR'",
        "span.name = 'retrieve' AND span.status = 'ERROR'",
        "span.type = 'LLM'",
        "span.attributes.model = 'tiny'",
        "span.attributes.mlflow.spanInputs LIKE '%when%'",
        "trace.text LIKE '%about why%'",
        "tags.question RLIKE '^(why|fail)$'",
        "feedback.helpful > 0.9",
        "feedback.helpful = 'no'",
        "expectation.expected IS NOT NULL",
        f"timestamp < {int(time.time() * 1000)} AND execution_time < 60000",
        f"run_id = '{run.info.run_id}'",
    ]
}
seen["searches"]["run"] = seen["searches"].pop(f"run_id = '{run.info.run_id}'")
seen["searches"] = {("now" if key.startswith("timestamp") else key): value for key, value in seen["searches"].items()}
seen["pages"] = len(client.search_traces(locations=[experiment.experiment_id], max_results=2))

with mlflow.start_run(run_name="linked") as linked:
    client.link_traces_to_run([when.info.trace_id], linked.info.run_id)
seen["linked"] = search(f"run_id = '{linked.info.run_id}'")

parent = mlflow.start_span_no_context("by hand", inputs={"n": 1})
child = mlflow.start_span_no_context("child", parent_span=parent)
child.end(outputs=[1, 2.5, None, True])
parent.end(outputs="done")
mlflow.flush_trace_async_logging()
by_hand = mlflow.get_trace(parent.trace_id)
seen["by hand"] = [by_hand.search_spans(name="child")[0].outputs, by_hand.info.response_preview]

seen["deleted"] = [
    client.delete_traces(experiment.experiment_id, trace_ids=[fail.info.trace_id]),
    search("trace.status = 'ERROR'"),
    mlflow.get_trace(fail.info.trace_id, silent=True),
]

from mlflow.genai import datasets  # noqa: E402

dataset = datasets.create_dataset(name="cases", experiment_id=experiment.experiment_id, tags={"team": "a"})
dataset.merge_records(
    [
        {"inputs": {"question": "why"}, "expectations": {"answer": "because"}, "tags": {"kind": "easy"}},
        {"inputs": {"question": "how"}, "outputs": {"text": "so"}},
    ]
)
dataset.merge_records([{"inputs": {"question": "why"}, "expectations": {"sure": True}}])
dataset.merge_records([mlflow.get_trace(why.info.trace_id)])
again = datasets.get_dataset(dataset_id=dataset.dataset_id)
datasets.set_dataset_tags(dataset_id=dataset.dataset_id, tags={"stage": "draft"})
rows = again.to_df()
again.delete_records([row.dataset_record_id for row in rows.itertuples() if row.inputs == {"question": "how"}])
found_datasets = datasets.search_datasets(
    experiment_ids=[experiment.experiment_id], filter_string="name LIKE 'ca%' AND tags.stage = 'draft'"
)
left = datasets.get_dataset(dataset_id=dataset.dataset_id).to_df()
seen["dataset"] = {
    "name": again.name,
    "before": len(rows),
    "records": sorted(json.dumps(inputs) for inputs in left["inputs"]),
    "sources": sorted(str(source) for source in left["source_type"]),
    "expectations": [row.expectations for row in left.itertuples() if row.inputs == {"question": "why"}],
    "found": [one.dataset_id == dataset.dataset_id for one in found_datasets],
    "experiments": again.experiment_ids == [experiment.experiment_id],
}
datasets.delete_dataset(dataset_id=dataset.dataset_id)
seen["dataset"]["gone"] = len(datasets.search_datasets(filter_string="name = 'cases'"))

from mlflow.tracking._tracking_service.utils import _get_store  # noqa: E402

store = _get_store()
store.register_scorer(experiment.experiment_id, "tone", '{"name": "tone"}')
second = store.register_scorer(experiment.experiment_id, "tone", '{"name": "tone", "v": 2}')
seen["scorers"] = {
    "version": second.scorer_version,
    "listed": [(one.scorer_name, one.scorer_version) for one in store.list_scorers(experiment.experiment_id)],
    "versions": [one.scorer_version for one in store.list_scorer_versions(experiment.experiment_id, "tone")],
    "first": store.get_scorer(experiment.experiment_id, "tone", 1)._serialized_scorer,
    "online": store.get_online_scoring_configs([second.scorer_id]),
}
store.delete_scorer(experiment.experiment_id, "tone")

from mlflow.tracing.attachments import Attachment  # noqa: E402
from mlflow.tracing.client import TracingClient  # noqa: E402

with mlflow.start_span("picture") as span:
    span.set_inputs({"picture": Attachment(content_type="image/png", content_bytes=b"a picture")})
mlflow.flush_trace_async_logging()
picture = client.get_trace(span.trace_id)
reference = Attachment.parse_ref(picture.data.spans[0].inputs["picture"])
files = TracingClient()._get_artifact_repo_for_trace(picture.info)
seen["attached"] = files.download_trace_attachment(reference["attachment_id"]).decode()

refused = {}
for name, call in {
    "unknown trace": lambda: client.get_trace("tr-" + "0" * 32),
    "a path": lambda: client.set_trace_tag("tr-..%2f..%2fx", "a", "b"),
    "filter": lambda: search("span.nothing = 'x'"),
    "no filter": lambda: search("name ="),
    "pattern": lambda: search("tags.question RLIKE '('"),
    "assessment": lambda: mlflow.get_assessment(why.info.trace_id, "a-" + "0" * 32),
    "scorer": lambda: store.get_scorer(experiment.experiment_id, "tone"),
}.items():
    try:
        call()
        refused[name] = "nothing"
    except MlflowException as error:
        refused[name] = error.error_code
        print(f"{name}: {error}", file=sys.stderr)
seen["refused"] = refused
print(json.dumps(seen))
