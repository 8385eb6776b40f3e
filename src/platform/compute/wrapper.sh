# Runs one attempt and outlives the process that started it.
#   sh wrapper.sh <directory of the attempt> <command...>
# Creating `supervisor` is the right to run: who finds it there already does not.
directory=$1
shift
umask 077
set -C
trap : HUP INT TERM
echo $$ 2>/dev/null >"$directory/supervisor" || exit 1
"$@" </dev/null >>"$directory/log" 2>&1
code=$?
{
  times
  echo "exit $code"
} >"$directory/exit"
