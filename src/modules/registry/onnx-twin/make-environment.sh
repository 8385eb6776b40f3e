# Makes the virtual environment of one model: what the model says that it needs, and what converts it.
set -u
python=python3
# Pickles are happiest with the Python that wrote them.
if command -v "python$PAVE_PARAM_PYTHON" >/dev/null 2>&1; then python="python$PAVE_PARAM_PYTHON"; fi
if ! "$python" -m venv "$PAVE_ENVIRONMENT"; then
  echo "Python 3.11 or newer with its venv module is needed where jobs run: on Debian, apt install python3-venv." >&2
  exit 1
fi
"$python" --version
cd "$PAVE_INPUT_REQUIREMENTS" || exit 1
install() { pip install --disable-pip-version-check --no-input --progress-bar off -r requirements.txt -r "$1" 2>&1; }
if ! install converters.txt >"$TMPDIR/pip.log"; then
  cat "$TMPDIR/pip.log"
  if ! grep -q -e ResolutionImpossible -e 'conflicting dependencies' "$TMPDIR/pip.log"; then
    echo "pip could not install what the model needs; its last error is above."
    echo "Without a way to PyPI, name a mirror (index-url) or a directory of wheels (no-index, find-links) in /etc/pip.conf"
    echo "on the machine that runs jobs."
    exit 1
  fi
  echo "The usual versions of the converters do not go with the model's packages: taking whichever do."
  sed 's/[=<>].*//' converters.txt >"$TMPDIR/converters.txt"
  install "$TMPDIR/converters.txt" || exit 1
fi
pip freeze --disable-pip-version-check
