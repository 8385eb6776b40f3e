"""Logs and registers a network of PyTorch with the stock client, in each format that MLflow writes."""

import os

import mlflow
import mlflow.pytorch
import numpy
import torch
from mlflow.models import infer_signature

requirements = os.environ["REQUIREMENTS"].split()
torch.manual_seed(1)
rows = numpy.random.default_rng(1).normal(size=(5, 3)).astype("float32")
network = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(16, 1))
network.eval()
signature = infer_signature(rows, network(torch.from_numpy(rows)).detach().numpy())

for name, model, options in [
    ("exported", network, {"serialization_format": "pt2", "input_example": rows}),
    ("pickled", network, {"serialization_format": "pickle"}),
    ("scripted", torch.jit.script(network), {"serialization_format": "pickle"}),
]:
    mlflow.pytorch.log_model(
        model,
        name=name,
        signature=signature,
        pip_requirements=requirements,
        registered_model_name=name,
        **options,
    )

print("true")
