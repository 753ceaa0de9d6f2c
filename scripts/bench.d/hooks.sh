# What a run costs that Regen is asked to look at.

row_hooks() {
  local i
  under runc "$QUEUE-warm" true
  under regen "$QUEUE-hooks" true
  for i in $(seq "$count"); do
    timed "run, runc" under runc "$QUEUE-plain" true
    timed "run, regen, agent up" under regen "$QUEUE-hooks" true
    drained
  done
  stop_the_agent
  for i in $(seq "$count"); do
    timed "run, runc (agent down)" under runc "$QUEUE-plain" true
    timed "run, regen, agent down" under regen "$QUEUE-hooks" true
  done
  start_agent >/dev/null
  drained
}

# calls COMMAND...: 50 times, for one measurement.
calls() {
  local n
  for n in $(seq 50); do "$@" >/dev/null 2>&1 || true; done
}

unnamed() { docker run --rm --network=none --runtime="$1" "$IMAGE" true; }

row_passed() {
  local i runc front=/usr/local/lib/regen/bin/regen-runtime
  runc=$(sed -n "s/^REGEN_RUNC='\(.*\)'$/\1/p" /usr/local/lib/regen/runtime.conf)
  for i in $(seq "$count"); do
    timed "50 × runc --version" calls "$runc" --version
    timed "50 × regen-runtime --version" calls "$front" --version
    timed "50 × runc state" calls "$runc" state nobody
    timed "50 × regen-runtime state" calls "$front" state nobody
    timed "unnamed run, runc" unnamed runc
    timed "unnamed run, regen" unnamed regen
  done
}
