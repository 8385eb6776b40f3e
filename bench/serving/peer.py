"""
The same service as a team writes it: FastAPI, pydantic, onnxruntime, and features looked up by key in Redis or in a
dictionary. Configured by variables: MODEL (path), FEATURES (path of JSON, or redis://), TOKEN, PORT.
"""

import hashlib
import hmac
import os
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import numpy
import onnxruntime
import orjson
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel
from redis.asyncio import Redis

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])
expected = hashlib.sha256(os.environ["TOKEN"].encode()).digest()
source = os.environ["FEATURES"]
redis = Redis.from_url(source) if source.startswith("redis://") else None
table = {} if redis else {key: orjson.dumps(values) for key, values in orjson.loads(Path(source).read_bytes()).items()}


class Tensor(BaseModel):
    name: str
    shape: list[int]
    datatype: str
    data: list[str | int | float]


class InferenceRequest(BaseModel):
    id: str
    inputs: list[Tensor]


@asynccontextmanager
async def lifespan(_: FastAPI):
    yield
    if redis:
        await redis.aclose()


app = FastAPI(lifespan=lifespan)


@app.post("/v2/models/{model}/infer")
async def infer(model: str, body: InferenceRequest, request: Request) -> Response:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(hashlib.sha256(token.encode()).digest(), expected):
        raise HTTPException(401)
    fields = {}
    for tensor in body.inputs:
        if tensor.shape != [1] or len(tensor.data) != 1:
            raise HTTPException(400, f"{tensor.name} is not one value")
        fields[tensor.name] = tensor.data[0]
    try:
        origin, destination = fields["origin"], fields["destination"]
        at = datetime.fromisoformat(fields["date"])
        distance = float(fields["distance"])
    except (KeyError, TypeError, ValueError) as error:
        raise HTTPException(400, str(error)) from error
    keys = [f"departures/{origin}", f"arrivals/{origin}", f"arrivals/{destination}", f"routes/{origin}/{destination}"]
    found = await redis.mget(keys) if redis else [table.get(key) for key in keys]
    departures, inbound, arrivals, routes = (orjson.loads(value) for value in found)
    row = [
        departures[0], *inbound, *arrivals, *routes, departures[1],
        at.hour * 60 + at.minute, at.isoweekday() % 7, distance,
    ]
    values = numpy.array([[numpy.nan if value is None else value for value in row]], dtype=numpy.float32)
    (answers,) = session.run(["probability"], {"features": values})
    return Response(
        orjson.dumps(
            {
                "model_name": model,
                "model_version": "1",
                "id": body.id,
                "parameters": {"variant": "primary"},
                "outputs": [
                    {"name": "probability", "datatype": "FP32", "shape": [1], "data": [float(answers[0, 0])]}
                ],
            }
        ),
        media_type="application/json",
    )


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["PORT"]), loop="uvloop", http="httptools", access_log=False, log_level="warning")
