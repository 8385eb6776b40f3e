# Starts `run.sh` where only its own directory can be seen of Pave's data, and written of the whole machine.
#   sh confine.sh <data directory> <directory of the step> [<environment> ro|rw]
# Expects to be root of fresh user, mount and process namespaces; gives up that power at the end.
data=$1
work=$2
environment=$3
access=$4

[ -z "$environment" ] || exec 3<"$environment" || exit 1
cd "$work" &&
  mount -t tmpfs -o size=1m,mode=755 pave "$data" &&
  mkdir -p "$work" &&
  mount --no-canonicalize --bind . "$work" &&
  cd / || exit 1
if [ -n "$environment" ]; then
  mkdir -p "$environment" && mount --no-canonicalize --bind /proc/self/fd/3 "$environment" || exit 1
  exec 3<&-
fi

# Sockets of the user's session: behind them are programs that are not confined.
[ ! -d /run/user ] || mount -t tmpfs -o size=1m,mode=755 pave /run/user || exit 1

# A remount must repeat the flags that a user namespace may not clear. What cannot be reached here cannot be written either.
while read -r _ target type options _; do
  case $type,$options in proc,* | sysfs,* | cgroup* | dev* | mqueue,* | *,ro | *,ro,*) continue ;; esac
  case $target in *\\*) target=$(printf '%b' "$target") ;; esac
  [ "$target" != "$work" ] || continue
  [ "$target" != "$environment" ] || [ "$access" != rw ] || continue
  flags=
  for flag in nosuid nodev noexec noatime relatime nodiratime; do
    case ,$options, in *,"$flag",*) flags=$flags,$flag ;; esac
  done
  mount -o "remount,bind,ro$flags" "$target" 2>/dev/null
done </proc/self/mounts
[ ! -w / ] && [ ! -w "$data" ] && [ ! -w "$data/.." ] && [ ! -w "$0" ] || exit 1
[ "$access" != ro ] || [ ! -w "$environment" ] || exit 1

exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all -- sh "$work/run.sh"
