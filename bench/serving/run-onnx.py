"""Microseconds of one call of the model on one row, by itself: MODEL, COLUMNS."""

import sys
import time

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
row = numpy.full((1, int(sys.argv[2])), 0.5, dtype=numpy.float32)
for _ in range(2000):
    session.run(["probability"], {"features": row})
started = time.process_time()
for _ in range(5000):
    session.run(["probability"], {"features": row})
print((time.process_time() - started) / 5000 * 1e6)
