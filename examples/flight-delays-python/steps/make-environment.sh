# Makes the virtual environment that train.py and evaluate.py run in, with exactly what requirements.txt names.
if ! "$PAVE_PARAM_PYTHON" -m venv "$PAVE_ENVIRONMENT"; then
  echo "Python 3.11 or newer with its venv module is needed where steps run: on Debian, apt install python3-venv." >&2
  echo "Another interpreter is chosen with --params '{\"python\": \"/path/to/python3\"}'." >&2
  exit 1
fi
if ! pip install --disable-pip-version-check --no-input --progress-bar off -r requirements.txt; then
  echo "pip could not install what requirements.txt names; its last error is above." >&2
  echo "Without a way to PyPI, name a mirror (index-url) or a directory of wheels (no-index, find-links) in /etc/pip.conf" >&2
  echo "on the machine that runs steps. 'pip download -r requirements.txt -d DIRECTORY' elsewhere fills such a directory." >&2
  exit 1
fi
