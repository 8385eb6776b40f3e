"""What the stock client finds of people, roles and workspaces. Prints one JSON document, on the last line."""

import json
import os
import sys
import types

# Only the server that it is imported with needs it.
sys.modules["flask_wtf"] = types.ModuleType("flask_wtf")
sys.modules["flask_wtf.csrf"] = types.ModuleType("flask_wtf.csrf")
sys.modules["flask_wtf.csrf"].CSRFProtect = type("CSRFProtect", (), {})

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.server.auth.client import AuthServiceClient

people = AuthServiceClient(os.environ["MLFLOW_TRACKING_URI"])


def code_of(call):
    try:
        call()
    except MlflowException as error:
        return [error.error_code, "pave " in str(error)]


seen = {}
made = people.create_user("bob", "")
seen["made"] = [made.username, made.is_admin]
seen["again"] = code_of(lambda: people.create_user("bob", ""))
seen["password"] = code_of(lambda: people.create_user("carol", "secret"))
seen["found"] = people.get_user("bob").id == made.id
seen["unknown"] = code_of(lambda: people.get_user("nobody"))
people.update_user_admin("bob", True)
seen["admin"] = people.get_user("bob").is_admin
people.update_user_admin("bob", False)
seen["no_admin"] = people.get_user("bob").is_admin
seen["update_password"] = code_of(lambda: people.update_user_password("bob", "other"))
seen["delete"] = code_of(lambda: people.delete_user("bob"))

roles = {role.name: role for role in people.list_roles("test")}
seen["roles"] = list(roles)
assigned = people.assign_role("bob", roles["contributor"].id)
seen["assigned"] = [assigned.user_id == made.id, assigned.role_id == roles["contributor"].id]
seen["has"] = [role.name for role in people.list_user_roles("bob")]
seen["who"] = [one.user_id for one in people.list_role_users(roles["contributor"].id)] == [made.id]
seen["may"] = [
    (one.allowed, one.permission)
    for one in (
        people.get_user_permission("bob", "experiment", "0"),
        people.get_user_permission("bob", "gateway_secret", "x"),
    )
]
people.unassign_role("bob", roles["contributor"].id)
seen["has_no_more"] = people.list_user_roles("bob")
seen["no_role"] = code_of(lambda: people.get_role(99))
seen["own_role"] = code_of(lambda: people.create_role("test", "mine"))
seen["grant"] = code_of(lambda: people.grant_user_permission("bob", "experiment", "0", "READ"))

seen["workspaces"] = [one.name for one in mlflow.list_workspaces()]
mlflow.set_workspace("test")
seen["workspace"] = mlflow.get_workspace("test").name
with mlflow.start_run():
    mlflow.log_metric("in_workspace", 1)
    mlflow.log_text("there", "note.txt")
    seen["artifact"] = mlflow.artifacts.load_text(mlflow.get_artifact_uri("note.txt"))
seen["found_in_workspace"] = len(mlflow.search_runs(["0"], output_format="list"))
seen["created"] = code_of(lambda: mlflow.create_workspace("another"))
mlflow.set_workspace("other")
seen["others"] = code_of(lambda: mlflow.search_experiments())
mlflow.set_workspace("nowhere")
seen["nobodys"] = code_of(lambda: mlflow.search_experiments())

print(json.dumps(seen))
