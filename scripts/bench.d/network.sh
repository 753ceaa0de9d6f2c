# What moves between hosts. Each host is a network namespace with one link to a switch, limited both ways; it has an
# agent of its own where it needs one. All of them share this machine's processors and disk.

# REGEN_PROGRAM: a build other than the installed one, laid out as that is.
PROGRAM=${REGEN_PROGRAM:-/usr/local/lib/regen}
NET=rb$$
NET_PREFIX=10.213.7
plugged=0 emptied_dirs=0
declare -A number process

# switch_on: the switch that hosts are plugged into; once.
switch_on() {
  [ "$plugged" = 0 ] || return 0
  command -v tc >/dev/null || apt_install iproute2
  ip netns add "$NET-switch"
  ip -n "$NET-switch" link add bridge type bridge
  ip -n "$NET-switch" link set bridge up
}

# plug HOST RATE: a host of that name, its link limited to RATE (as tc writes rates; none: not at all).
plug() {
  local host=$1 rate=$2 n
  switch_on
  if [ -z "${number[$host]:-}" ]; then
    n=$((++plugged))
    number[$host]=$n
    ip netns add "$NET-$host"
    ip link add "port$n" netns "$NET-switch" type veth peer name eth0 netns "$NET-$host"
    ip -n "$NET-switch" link set "port$n" master bridge up
    ip -n "$NET-$host" address add "$NET_PREFIX.$n/24" dev eth0
    ip -n "$NET-$host" link set lo up
    ip -n "$NET-$host" link set eth0 up
  fi
  limit "$NET-$host" eth0 "$rate"
  limit "$NET-switch" "port${number[$host]}" "$rate"
}

limit() {
  tc -n "$1" qdisc del dev "$2" root 2>/dev/null || true
  [ "$3" = none ] || tc -n "$1" qdisc add dev "$2" root tbf rate "$3" burst 256kb latency 50ms
}

# inside HOST COMMAND...: runs it there; the file systems are this machine's.
inside() {
  local host=$1
  shift
  nsenter --net="/run/netns/$NET-$host" "$@"
}

address() { printf '%s.%s' "$NET_PREFIX" "${number[$1]}"; }

# received HOST: bytes that came over its link until now, headers and acknowledgements too.
received() { ip -n "$NET-$1" -s link show eth0 | awk '/RX:/ { getline; print $1 }'; }

# launch NAME HOST COMMAND...: a process in the background, until halt NAME.
launch() {
  local name=$1 host=$2
  shift 2
  nsenter --net="/run/netns/$NET-$host" "$@" </dev/null >>"$WORK/net/$name.log" 2>&1 &
  process[$name]=$!
}

halt() {
  local name=$1 signal=${2:-TERM} n
  [ -n "${process[$name]:-}" ] || return 0
  kill -"$signal" "${process[$name]}" 2>/dev/null || true
  for n in $(seq 300); do
    kill -0 "${process[$name]}" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "${process[$name]}" 2>/dev/null || true
  wait "${process[$name]}" 2>/dev/null || true
  unset "process[$name]"
}

# awaits NAME COMMAND...: until it holds, for a process that was launched.
awaits() {
  local name=$1 n
  shift
  for n in $(seq 600); do
    ! "$@" >/dev/null 2>&1 || return 0
    kill -0 "${process[$name]}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 "$WORK/net/$name.log" >&2
  die "$name does not come up; the lines above say why"
}

# cpu NAME: the processor time it has used, in milliseconds.
cpu() { awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/${process[$1]}/stat"; }

# Everything that the rows made, whenever they end.
unplug() {
  local name namespace mount
  for name in "${!process[@]}"; do halt "$name"; done
  [ ! -d "$WORK/net/ceph" ] || "$ROOT/scripts/ceph-rgw" down "$WORK/net/ceph" || true
  for namespace in $(ip netns list 2>/dev/null | awk -v net="$NET-" 'index($1, net) == 1 { print $1 }'); do
    ip netns pids "$namespace" | xargs -r kill -9 2>/dev/null || true
    ip netns del "$namespace"
  done
  awk -v at="$WORK/net/" 'index($2, at) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do
    umount -l "$mount" || true
  done
}

# agent_on HOST [unpacking]: an agent there, with its own queues and chunks; where it knows one staging directory it
# unpacks what it pulls.
agent_on() {
  local host=$1 at=$WORK/net/$1
  [ -z "${process[$host]:-}" ] || return 0
  if [ ! -d "$at" ]; then
    mkdir -p "$at/bin" "$at/run" "$at/home/stores"
    cp "$PROGRAM"/bin/* "$at/bin"
    sed -e "s|^REGEN_HOME=.*|REGEN_HOME='$at/home'|" -e "s|^REGEN_RUN=.*|REGEN_RUN='$at/run'|" \
      -e "s|^REGEN_DATA_ROOTS=.*|REGEN_DATA_ROOTS='$at/docker'|" "$PROGRAM/runtime.conf" >"$at/runtime.conf"
    if [ "${2:-}" = unpacking ]; then
      mkdir -p "$at/docker/overlay2/regen-staging"
      printf '%s' "$at/docker/overlay2/regen-staging" >"$at/home/stores/bench"
    fi
  fi
  launch "$host" "$host" env REGEN_CONFIGURATION="$at/regen.json" DOCKER_HOST="unix://$at/docker.sock" "$at/bin/regen" agent
  awaits "$host" on "$host" ls
}

# on HOST ARGUMENT...: regen there. What it says on its way is shown only where it fails.
on() {
  local host=$1 said
  shift
  said=$(mktemp "$WORK/net/said.XXXXXX")
  inside "$host" "$WORK/net/$host/bin/regen" "$@" 2>"$said" || {
    cat "$said" >&2
    return 1
  }
}

# storage_on RATE HOST...: empty storage servers; sets STORE to their address, without options. What servers before
# them stored stays: ext4 is slow to make files where many were deleted a moment ago.
storage_on() {
  local rate=$1 host
  shift
  STORE=
  for host in "$@"; do
    plug "$host" "$rate"
    halt "$host"
    : >"$WORK/net/$host.log"
    launch "$host" "$host" "$PROGRAM/bin/regen" storage --listen "$(address "$host"):7070" \
      --dir "$WORK/net/$host-$((++emptied_dirs))"
    awaits "$host" grep -q 'listens on' "$WORK/net/$host.log"
    STORE=$STORE${STORE:+,}http://$(address "$host"):7070
  done
}

# two_agents: hosts a and b. Queue "moving" of a holds the tree as its only snapshot, "warm" a small one.
two_agents() {
  local host
  mkdir -p "$WORK/net"
  for host in a b; do
    plug "$host" none
    agent_on "$host"
  done
  on a ls --json | grep -q '"moving"' && return
  host_tree
  tar -C "$WORK/tree" -c . | on a import moving - >/dev/null
  bench_java TreeGenerator 9 "$WORK/net/small" 2000 20000000
  tar -C "$WORK/net/small" -c . | on a import warm - >/dev/null
}

# warmed STORE: both agents and the servers have moved something: compiled code, open connections.
warmed() {
  on a push warm --store "$1" >/dev/null
  on b restore warm --from "$1" >/dev/null
  on b rm --queue warm >/dev/null
}

# emptied [unpacking]: host b has nothing any more.
emptied() {
  halt b
  [ ! -d "$WORK/net/b" ] || mv "$WORK/net/b" "$WORK/net/b-$((++emptied_dirs))"
  agent_on b "$@"
  sync
}

# forgotten: what is left of servers and hosts that were emptied.
forgotten() { rm -rf "$WORK"/net/*-[0-9]*; }

# engine_on HOST: Docker there, its runtime regen that of the host, with this machine's small image.
engine_on() {
  local host=$1 at=$WORK/net/$1
  printf '{"runtimes": {"regen": {"path": "%s/bin/regen-runtime"}}, "insecure-registries": ["%s.0/24"]}\n' \
    "$at" "$NET_PREFIX" >"$at/daemon.json"
  launch "$host-docker" "$host" dockerd --config-file "$at/daemon.json" --data-root "$at/docker" \
    --exec-root "$at/exec" --pidfile "$at/docker.pid" --host "unix://$at/docker.sock" --bridge=none --iptables=false
  awaits "$host-docker" docker_on "$host" version
  small_image "$IMAGE"
  docker save "$IMAGE" | docker_on "$host" load >/dev/null
}

docker_on() { DOCKER_HOST=unix://$WORK/net/$1/docker.sock docker "${@:2}"; }
busy_on() { DOCKER_HOST=unix://$WORK/net/$1/docker.sock busy "${@:2}"; }

# registry_on HOST RATE: an empty CNCF registry of Debian's.
registry_on() {
  local host=$1 at=$WORK/net/$1
  plug "$host" "$2"
  if [ ! -x "$WORK/net/registry/usr/bin/docker-registry" ]; then
    (cd "$WORK/net" && apt-get -q download docker-registry && dpkg -x docker-registry_*.deb registry) >/dev/null 2>&1 ||
      die "apt-get has no docker-registry"
  fi
  halt "$host"
  mkdir -p "$at-$((++emptied_dirs))"
  printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: "%s"}}\nhttp: {addr: "%s:5000"}\n' \
    "$at-$emptied_dirs" "$(address "$host")" >"$at.yml"
  launch "$host" "$host" "$WORK/net/registry/usr/bin/docker-registry" serve "$at.yml"
  awaits "$host" inside "$host" curl -sf "http://$(address "$host"):5000/v2/"
}

# From the end of the container on a until it has run on b. The push waits for the archive of what has just ended.
moved_by_regen() {
  on b restore "$1" --from "$STORE" --follow &
  docker_on a stop "$1"
  on a push "$1" --store "$STORE"
  wait $!
  docker_on b run --rm --network=none --runtime=regen --name "$1" "$IMAGE" test -d /root/tree
}

moved_by_docker() {
  local image
  image=$(address r):5000/$1
  docker_on a stop "$1"
  docker_on a commit "$1" "$image"
  docker_on a push -q "$image"
  docker_on b pull -q "$image"
  docker_on b run --rm --network=none "$image" test -d /root/tree
}

row_moved() {
  local i rate=1gbit name host
  mkdir -p "$WORK/net"
  host_tree
  for host in a b; do
    plug "$host" "$rate"
    agent_on "$host"
    engine_on "$host"
    # From the first run under Regen on it is known where trees are to be unpacked.
    docker_on "$host" run --rm --network=none --runtime=regen --name "$QUEUE-first" "$IMAGE" true
  done
  for i in $(seq "$count"); do
    storage_on "$rate" s1
    registry_on r "$rate"
    name=$QUEUE-moved-$i
    cp -a "$WORK/tree" "$(busy_on a regen "$name" --rm)/tree"
    sync
    timed "moved, $rate: regen" moved_by_regen "$name"
    churn "$i" "$(busy_on a regen "$name" --rm)/tree"
    sync
    timed "moved after 1 % changed, $rate: regen" moved_by_regen "$name"
    name=$QUEUE-committed-$i
    cp -a "$WORK/tree" "$(busy_on a runc "$name")/tree"
    sync
    timed "moved, $rate: docker" moved_by_docker "$name"
    docker_on a start "$name" >/dev/null
    churn "$i" "$(DOCKER_HOST=unix://$WORK/net/a/docker.sock root_of "$name")/tree"
    sync
    timed "moved after 1 % changed, $rate: docker" moved_by_docker "$name"
    docker_on a rm -f "$name" >/dev/null
    for host in a b; do
      docker_on "$host" rmi -f "$(address r):5000/$name" >/dev/null
      docker_on "$host" image prune -f >/dev/null
      on "$host" rm --queue "$QUEUE-moved-$i" >/dev/null
    done
    say "moved: $i of $count"
  done
}

# ceph PROCESS...: the processor time they have used, in milliseconds.
ceph_cpu() {
  local name all=0
  for name in osd rgw; do
    process[ceph]=$(cat "$WORK/net/ceph/$name.pid")
    all=$((all + $(cpu ceph)))
  done
  unset "process[ceph]"
  echo "$all"
}

# each_limited HOST PORT RATE: to PORT on its loopback each connection has RATE (none: all there is). Which of 256
# classes a connection is in says its own port; two in one class share its rate, which is so only by chance.
each_limited() {
  local host=$1 port=$2 rate=$3 n
  tc -n "$NET-$host" qdisc del dev lo root 2>/dev/null || true
  [ "$rate" != none ] || return 0
  {
    printf 'qdisc add dev lo root handle 1: htb\n'
    printf 'filter add dev lo parent 1: prio 1 protocol ip handle 2: u32 divisor 256\n'
    for n in $(seq 0 255); do
      printf 'class add dev lo parent 1: classid 1:%x htb rate %s burst 256kb cburst 256kb quantum 65536\n' \
        $((n + 1)) "$rate"
      printf 'filter add dev lo parent 1: prio 1 protocol ip u32 ht 2:%x: match ip dport %s 0xffff flowid 1:%x\n' \
        "$n" "$port" $((n + 1))
    done
    # The ports that Linux chooses for connections are even.
    printf 'filter add dev lo parent 1: prio 1 protocol ip u32 ht 800:: match ip dport %s 0xffff %s\n' \
      "$port" 'hashkey mask 0x01fe0000 at 20 link 2:'
  } | tc -n "$NET-$host" -batch -
}

# s3: Ceph's gateway on the loopback of host a; a push, and one PUT of what it sends. Then both again where each
# connection has what AWS says that one to S3 has: 85 to 90 MB/s ("Performance guidelines for Amazon S3").
row_s3() {
  local i endpoint key secret before own bucket name rate archive=$WORK/net/archive.tar.zst
  plug a none
  mkdir -p "$WORK/net"
  read -r endpoint key secret <<<"$(inside a "$ROOT/scripts/ceph-rgw" up "$WORK/net/ceph")"
  export AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret AWS_REGION=us-east-1
  halt a
  two_agents
  on a export moving@latest -o "$archive"
  for i in $(seq "$count"); do
    for rate in none 700mbit; do
      name=s3
      [ "$rate" = none ] || name="s3, $rate each"
      for bucket in "push$i" "put$i"; do s3_curl -X PUT "$endpoint/$bucket"; done
      each_limited a "${endpoint##*:}" "$rate"
      # The first push of all makes the store, and tries whether the service keeps what several writers need.
      on a push warm --store "s3://push$i?endpoint=$endpoint" >/dev/null
      before=$(ceph_cpu)
      own=$(cpu a)
      timed "$name: push" on a push moving --store "s3://push$i?endpoint=$endpoint"
      record "$name: processors of Ceph, push" $(($(ceph_cpu) - before))
      record "$name: processors of the agent, push" $(($(cpu a) - own))
      before=$(ceph_cpu)
      timed "$name: one PUT" s3_curl -T "$archive" "$endpoint/put$i/archive"
      record "$name: processors of Ceph, one PUT" $(($(ceph_cpu) - before))
      each_limited a "${endpoint##*:}" none
      for bucket in "push$i" "put$i"; do
        inside a env CEPH_CONF="$WORK/net/ceph/ceph.conf" radosgw-admin bucket rm --bucket="$bucket" \
          --purge-objects --bypass-gc >/dev/null 2>&1
      done
    done
  done
  rm -f "$archive"
}

s3_curl() {
  inside a curl -sS -f --aws-sigv4 aws:amz:us-east-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
    --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@"
}

stored_mb() { on a show moving --json | grep -o '"sizeBytes":[0-9]*' | head -n 1 | cut -d : -f 2 | awk '{ printf "%.1f", $1 / 1e6 }'; }

row_servers() {
  local i rate n
  two_agents
  record "servers: the snapshot, MB" "$(stored_mb)"
  for rate in 100mbit 400mbit; do
    for i in $(seq "$count"); do
      for n in 1 2 4; do
        # shellcheck disable=SC2046
        storage_on "$rate" $(seq -f 's%g' "$n")
        emptied
        warmed "$STORE"
        timed "$rate servers: push to $n" on a push moving --store "$STORE"
        sync
        timed "$rate servers: pull from $n" on b pull moving --store "$STORE"
      done
    done
    forgotten
    say "servers, $rate: done"
  done
}

followed() {
  on b restore moving --from "$STORE" --follow &
  on a push moving --store "$STORE"
  wait $!
}

pushed_then_loaded() {
  on a push moving --store "$STORE"
  on b restore moving --from "$STORE"
}

# follow: until the tree is unpacked on b, ready for the next run.
row_follow() {
  local i rate how before
  two_agents
  for rate in 100mbit 400mbit; do
    for i in $(seq "$count"); do
      for how in followed pushed_then_loaded; do
        storage_on "$rate" s1
        emptied unpacking
        warmed "$STORE"
        before=$(($(cpu a) + $(cpu b) + $(cpu s1)))
        timed "follow, $rate: ${how//_/ }" "$how"
        record "follow, $rate: processors, ${how//_/ }" $(($(cpu a) + $(cpu b) + $(cpu s1) - before))
      done
    done
    forgotten
    say "follow, $rate: done"
  done
}

# interrupted: the agent that pushes is killed when nine tenths have come over the wire.
row_interrupted() {
  local i before all
  two_agents
  for i in $(seq "$count"); do
    storage_on 400mbit s1
    before=$(received s1)
    on a push moving --store "$STORE" >/dev/null
    all=$(($(received s1) - before))
    storage_on 400mbit s1
    before=$(received s1)
    on a push moving --store "$STORE" >/dev/null 2>&1 &
    while [ $((($(received s1) - before) * 10)) -lt $((all * 9)) ]; do sleep 0.02; done
    halt a KILL
    wait $! || true
    sleep 1
    agent_on a
    record "interrupted: a whole push, MB" "$(awk "BEGIN { printf \"%.2f\", $all / 1e6 }")"
    before=$(received s1)
    on a push moving --store "$STORE" >/dev/null
    record "interrupted: run again, MB" "$(awk "BEGIN { printf \"%.2f\", ($(received s1) - $before) / 1e6 }")"
    forgotten
  done
}

# dead: a pull of what lies twice on four servers, one of which is gone: its process killed, or its link cut.
row_dead() {
  local i
  two_agents
  for i in $(seq "$count"); do
    emptied
    storage_on 100mbit s1 s2 s3 s4
    STORE=$STORE?replicas=2
    warmed "$STORE"
    on a push moving --store "$STORE" >/dev/null
    sync
    timed "dead: pull, all four there" on b pull moving --store "$STORE"
    emptied
    ip -n "$NET-s4" link set eth0 down
    timed "dead: pull, one cut off" on b pull moving --store "$STORE"
    ip -n "$NET-s4" link set eth0 up
    emptied
    halt s4 KILL
    timed "dead: pull, one killed" on b pull moving --store "$STORE"
    forgotten
  done
}
