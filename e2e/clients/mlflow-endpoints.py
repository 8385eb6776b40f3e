"""All endpoints of the server of MLflow, with its plugin for users: method and path, as JSON on the last line."""

import ast
import json
import re
from importlib.util import find_spec
from pathlib import Path

from mlflow.server import app, handlers

endpoints = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}}
for path, _, methods in handlers.get_endpoints():
    endpoints |= {(method, path) for method in methods}

# The plugin is read and not imported: it wants a database and Flask-WTF.
auth = Path(find_spec("mlflow.server").origin).parent / "auth"
paths = {}
for node in ast.parse((auth / "routes.py").read_text()).body:
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
        path = node.value.args[0].value
        version = next((keyword.value.value for keyword in node.value.keywords), 2)
        if node.value.func.id == "_get_rest_path" and re.search("/(users|roles)/", path):
            paths[node.targets[0].id] = f"/api/{version}.0{path}"

plain = [(method, re.sub(r"<(?:path:)?(\w+)>", r"{\1}", path)) for method, path in endpoints]
print(json.dumps({"endpoints": sorted(plain), "paths": sorted(paths.values())}))
