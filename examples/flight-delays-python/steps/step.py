"""What a step is given and what it owes, by names that the pipeline chooses. Paths are absolute."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    inputs: dict[str, str]
    outputs: dict[str, str]
    params: dict[str, str | int | float | bool]

    def write(self, name: str, content: bytes | dict | list) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content, indent=2).encode()
        Path(self.outputs[name]).write_bytes(data)


def run_step(run: Callable[[Step], None]) -> None:
    """Runs the step that the file in `PAVE_STEP_FILE` describes; what is wrong with its input is told in one line."""
    path = os.environ.get("PAVE_STEP_FILE")
    if path is None:
        sys.exit("PAVE_STEP_FILE is not set: start this file as a step of a pipeline.")
    try:
        run(Step(**json.loads(Path(path).read_text())))
    except (ValueError, KeyError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


def show_progress(share: float, text: str) -> None:
    """`share` runs from 0 to 1."""
    print(f"::progress {share:.2f} {text}", flush=True)
