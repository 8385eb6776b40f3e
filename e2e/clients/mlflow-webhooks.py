"""What somebody who follows the registry does with the stock client; prints what it saw as JSON."""

import http.server
import json
import queue
import threading

import mlflow
from mlflow import MlflowClient
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent
from mlflow.exceptions import MlflowException
from mlflow.webhooks.delivery import _generate_hmac_signature
from mlflow.webhooks.types import get_payload_class_for_event

secret = "a secret that only two know"
arrived = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        arrived.put((self.path, dict(self.headers.items()), body))
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write("vielen Dank ü".encode())

    def log_message(self, *_):
        pass


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str]):
        return model_input


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/hook"


def header(headers, name):
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def is_signed(headers, body):
    """With MLflow's own code."""
    delivery, timestamp = header(headers, "X-MLflow-Delivery-Id"), header(headers, "X-MLflow-Timestamp")
    return _generate_hmac_signature(secret, delivery, timestamp, body) == header(headers, "X-MLflow-Signature")


def payload_of(body):
    told = json.loads(body)
    event = WebhookEvent(told["entity"], told["action"])
    expected = set(get_payload_class_for_event(event).__annotations__)
    return [str(event), sorted(expected ^ set(told["data"])), told["data"]]


def refusal(work):
    try:
        work()
        return None
    except MlflowException as error:
        return error.error_code


seen = {}
client = MlflowClient()
names = [
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
    "prompt.created",
    "prompt_version.created",
    "prompt_alias.created",
]
webhook = client.create_webhook("bot", url, names, description="for the release bot", secret=secret)
seen["made"] = [
    webhook.name,
    webhook.description,
    str(webhook.status),
    sorted(str(event) for event in webhook.events) == sorted(names),
    webhook.secret,
    webhook.creation_timestamp > 1_600_000_000_000,
]
seen["listed"] = [one.webhook_id == webhook.webhook_id for one in client.list_webhooks()]

tests = []
for event in webhook.events:
    result = client.test_webhook(webhook.webhook_id, event)
    _, headers, body = arrived.get(timeout=20)
    tests.append([result.success, result.response_status, result.response_body, is_signed(headers, body)])
    assert payload_of(body)[1] == [], body
seen["tests"] = [list(one) for one in {tuple(one) for one in tests}]

client.create_registered_model("churn", tags={"team": "a"}, description="who leaves")
with mlflow.start_run():
    mlflow.pyfunc.log_model(name="m", python_model=Echo(), registered_model_name="churn", pip_requirements=[])
client.set_model_version_tag("churn", "1", "checked", "yes")
client.set_registered_model_alias("churn", "champion", "1")
client.register_prompt("greeting", "Hello {{name}}!", commit_message="shorter", tags={"tone": "warm"})
client.set_prompt_alias("greeting", "live", 1)

seen["told"] = []
while len(seen["told"]) < 7:
    path, headers, body = arrived.get(timeout=30)
    told = payload_of(body)
    assert is_signed(headers, body) and told[1] == [], body
    seen["told"].append([told[0], told[2]])

changed = client.update_webhook(webhook.webhook_id, name="bot-2", url=url.replace("hook", "broken"), events=["prompt.created"])
seen["changed"] = [changed.name, changed.description, [str(event) for event in changed.events]]
broken = client.test_webhook(webhook.webhook_id)
seen["broken"] = [broken.success, broken.response_status]
disabled = client.update_webhook(webhook.webhook_id, status="DISABLED")
seen["disabled"] = str(disabled.status)

create = lambda **given: client.create_webhook(**{"name": "x", "url": url, "events": ["prompt.created"], **given})
seen["refused"] = {
    "inside": refusal(lambda: create(url="http://169.254.169.254/latest/meta-data")),
    "scheme": refusal(lambda: create(url="ftp://example.com/")),
    "nowhere": refusal(lambda: create(url="http://no-such-name.invalid/")),
    "credentials": refusal(lambda: create(url=url.replace("//", "//ada:pw@"))),
    "name": refusal(lambda: create(name="-x")),
    "events": refusal(lambda: create(events=[])),
    "budget": refusal(lambda: create(events=[WebhookEvent(WebhookEntity.BUDGET_POLICY, WebhookAction.EXCEEDED)])),
}
client.delete_webhook(webhook.webhook_id)
seen["deleted"] = [
    refusal(lambda: client.get_webhook(webhook.webhook_id)),
    refusal(lambda: client.get_webhook("not-an-id")),
    list(client.list_webhooks()),
]
print(json.dumps(seen))
