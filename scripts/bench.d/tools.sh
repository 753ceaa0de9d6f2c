# What the rows share: clocks, containers, trees, the agent's memory.

cleanup() {
  local name
  docker ps -aq --filter "name=^$QUEUE" | xargs -r docker rm -f >/dev/null 2>&1 || true
  docker images -q "$IMAGE-committed" | sort -u | xargs -r docker rmi -f >/dev/null 2>&1 || true
  docker rmi -f "$IMAGE" >/dev/null 2>&1 || true
  agent_pid >/dev/null || start_agent >/dev/null || true
  (drained) || true
  for name in $(regen ls --json | grep -o "\"name\":\"$QUEUE[^\"]*\"" | cut -d '"' -f 4); do
    regen rm --queue "$name" >/dev/null 2>&1 || true
  done
  rm -rf "$WORK"
}

now() { date +%s%N; }

# drained: waits until nothing waits to be archived. It starts no process while it waits: what it would use is
# taken from the capture that is being measured.
drained() {
  local n
  for n in $(seq 6000); do
    compgen -G "$HOME_DIR/spool/*" >/dev/null || return 0
    pause 0.1
  done
  die "the agent does not finish; see $AGENT_LOG"
}

# pause SECONDS: sleeps without a process, on a pipe that nobody writes to.
mkfifo "$WORK/pipe"
pause() { read -r -t "$1" <>"$WORK/pipe" || true; }

# record SERIES NUMBER: one measurement, in milliseconds unless the series says MB.
record() { printf '%s\t%s\n' "$1" "$2" >>"$RESULTS"; }

# timed SERIES COMMAND...: runs it and records the time that took.
timed() {
  local series=$1 begin
  shift
  begin=$(now)
  "$@" >/dev/null
  record "$series" "$(awk "BEGIN { printf \"%.1f\", ($(now) - $begin) / 1e6 }")"
}

# bench_java CLASS ARGUMENT...: one of the programs in dev.regen.bench, from its source.
bench_java() {
  local class=$1
  shift
  "$JAVA_HOME/bin/java" "$ROOT/agent/src/test/java/dev/regen/bench/$class.java" "$@"
}

# under RUNTIME NAME COMMAND...: a run with --rm.
under() {
  local runtime=$1 name=$2
  shift 2
  docker run --rm --network=none --runtime="$runtime" --name "$name" "$IMAGE" "$@"
}

# busy RUNTIME NAME [OPTION...]: a container that waits until it is stopped; prints where its root is seen.
busy() {
  local runtime=$1 name=$2
  shift 2
  docker run -d --network=none --runtime="$runtime" --name "$name" "$@" "$IMAGE" \
    sh -c 'trap "exit 0" TERM; while :; do sleep 0.05; done' >/dev/null
  root_of "$name"
}
root_of() { printf '/proc/%s/root/root\n' "$(docker inspect -f '{{.State.Pid}}' "$1")"; }

# tree DIRECTORY: makes the tree there.
tree() { bench_java TreeGenerator 1 "$1" "$files" "$((megabytes * 1000000))"; }

# The tree on the host, made once: what the peers read.
host_tree() {
  [ -d "$WORK/tree" ] || tree "$WORK/tree"
}

# churn SEED DIRECTORY [clustered|scattered]: 1 % of its files change.
churn() { bench_java TreeChurn "$1" "$2" 10 "${3:-clustered}"; }

# fill QUEUE: a first run that leaves the tree.
fill() {
  tree "$(busy regen "$1" --rm)/tree"
  end "$1"
}

# end NAME: ends it with its code 0, and waits until it is gone.
end() {
  docker stop "$1" >/dev/null
  gone "$1"
}

gone() {
  local n
  for n in $(seq 600); do
    docker inspect "$1" >/dev/null 2>&1 || return 0
    sleep 0.02
  done
}

# walk SERIES DIRECTORY: a bare walk with lstat.
walk() { timed "$1" find "$2" -printf '%p %s %m %i %n %U %G %C@\n'; }

# event_time QUEUE KIND: when that happened last, in milliseconds. The agent begins before the engine
# has told the client that the container is gone, so its own times are the honest ones.
event_time() {
  local line
  line=$(grep -F "\"kind\":\"$2\",\"queue\":\"$1\"" "$HOME_DIR/events.jsonl" | tail -n 1)
  [ -n "$line" ] || die "no event '$2' of queue $1"
  date -d "$(sed 's/.*"time":"\([^"]*\)".*/\1/' <<<"$line")" +%s%3N
}

# capture_time SERIES QUEUE: from the end of its last run until its snapshot was on disk.
capture_time() {
  drained
  record "$1" $(($(event_time "$2" captured) - $(event_time "$2" ended)))
}

rss() { awk '/^VmRSS/ { printf "%.0f", $2 / 1000 }' "/proc/$(agent_pid)/status"; }
peak() { awk '/^VmHWM/ { printf "%.0f", $2 / 1000 }' "/proc/$(agent_pid)/status"; }
forget_peak() { echo 5 >"/proc/$(agent_pid)/clear_refs"; }

stop_the_agent() { if systemd_runs; then systemctl stop regen; else stop_agent; fi; }

# committed NAME: an image of the container, gone again with uncommitted.
committed() { docker commit "$1" "$IMAGE-committed"; }
uncommitted() { docker rmi "$IMAGE-committed" >/dev/null; }

restic_here() { RESTIC_PASSWORD=bench restic -q -r "$WORK/restic" --no-cache "$@"; }
restic_new() {
  rm -rf "$WORK/restic"
  restic_here init >/dev/null
}
restic_backup() { (cd "$1" && restic_here backup .); }
