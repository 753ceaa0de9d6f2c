# Shared by the scripts; bash. Each step says one line, does only what is missing, and ends the script
# with what to do where it cannot.

JDK_NEEDED=25
RUN=${REGEN_RUN:-/run/regen}
DOCKERD_LOG=/var/log/regen-dockerd.log
AGENT_LOG=/var/log/regen-agent.log

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || die "needs root: it $1. Run: sudo $0"
}

systemd_runs() { [ -d /run/systemd/system ]; }

# apt_install PACKAGE...: installs those that are missing.
apt_install() {
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "cannot install ${missing[*]}: there is no apt-get here; install them by hand"
  say "installing ${missing[*]} ..."
  local log
  log=$(mktemp)
  if ! apt_get install --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    { apt_get update && apt_get install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || {
      tail -n 20 "$log" >&2
      die "apt-get could not install ${missing[*]}; the lines above say why"
    }
  fi
  rm -f "$log"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@"
}

java_version() {
  "$1/bin/java" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.specification.version = //p'
}

is_jdk() {
  [ -x "$1/bin/javac" ] || return 1
  local version
  version=$(java_version "$1")
  [ "${version%%.*}" -ge $JDK_NEEDED ] 2>/dev/null
}

# Sets JAVA_HOME to a JDK that is new enough, and gets one where the distribution has it.
find_jdk() {
  look_for_jdk && return
  # shellcheck disable=SC1091
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    if ! apt-cache show openjdk-25-jdk-headless >/dev/null 2>&1; then
      apt_get update >/dev/null 2>&1 || true
    fi
    if apt-cache show openjdk-25-jdk-headless >/dev/null 2>&1; then
      apt_install openjdk-25-jdk-headless
      look_for_jdk && return
    fi
  fi
  die "Regen is built with JDK $JDK_NEEDED or newer and none was found. Looked at: JAVA_HOME (${JAVA_HOME:-not set}), /usr/lib/jvm/*, java on the PATH ($(command -v java || echo none)), and apt's openjdk-25-jdk-headless (Debian 13 has it, Debian 12 has not). On Debian 12 unpack Temurin 25 (https://adoptium.net) under /usr/lib/jvm, or set JAVA_HOME to where it is"
}

look_for_jdk() {
  local home on_path
  on_path=$(command -v javac || true)
  [ -z "$on_path" ] || on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/*25* /usr/lib/jvm/* "$on_path"; do
    if [ -n "$home" ] && is_jdk "$home"; then
      JAVA_HOME=$home
      export JAVA_HOME
      say "JDK: $JAVA_HOME"
      return 0
    fi
  done
  return 1
}

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Docker's engine, installed and answering.
start_engine() {
  if ! engine_answers; then
    command -v dockerd >/dev/null || apt_install docker.io
    # Debian 13 has the command in a package of its own.
    command -v docker >/dev/null || apt_install docker-cli
    command -v iptables >/dev/null || apt_install iptables
    engine_answers || launch_engine
  fi
  say "engine: Docker $(docker version --format '{{.Server.Version}}'), $(docker info --format '{{.Driver}}')"
}

launch_engine() {
  local started=
  if systemd_runs; then
    say "starting docker.service ..."
    systemctl start docker || die "docker.service does not start; 'journalctl -u docker' says why"
  else
    local old
    old=$(cat /run/docker.pid 2>/dev/null || true)
    # The package may have started one itself, which then only needs time.
    if [ -z "$old" ] || [ "$(cat "/proc/$old/comm" 2>/dev/null)" != dockerd ]; then
      say "starting dockerd (log: $DOCKERD_LOG) ..."
      rm -f /run/docker.pid
      old=$(cat /run/docker/containerd/containerd.pid 2>/dev/null || true)
      if [ -n "$old" ] && [ "$(cat "/proc/$old/comm" 2>/dev/null)" != containerd ]; then
        rm -f /run/docker/containerd/containerd.pid
      fi
      setsid dockerd </dev/null >>"$DOCKERD_LOG" 2>&1 9>&- &
      started=$!
    fi
  fi
  local n
  for n in $(seq 120); do
    if engine_answers; then return; fi
    if [ -n "$started" ] && ! kill -0 "$started" 2>/dev/null; then
      tail -n 15 "$DOCKERD_LOG" >&2
      die "dockerd ended at once; its log ($DOCKERD_LOG) says why"
    fi
    [ $((n % 20)) != 0 ] || say "waiting for the engine, $((n / 2)) s ..."
    sleep 0.5
  done
  [ ! -e "$DOCKERD_LOG" ] || tail -n 15 "$DOCKERD_LOG" >&2
  die "the engine does not answer after 60 s; its log says why"
}

agent_answers() { regen ls >/dev/null 2>&1; }

# agent_pid: the agent's process id; fails where none runs.
agent_pid() {
  local pid
  { read -r pid <"$RUN/agent.pid"; } 2>/dev/null || return 1
  grep -qa dev.regen.agent.Main "/proc/$pid/cmdline" 2>/dev/null || return 1
  printf '%s\n' "$pid"
}

# The agent, as it is installed; one of an older build is replaced.
start_agent() {
  if systemd_runs; then
    systemctl start regen
  else
    local pid
    if pid=$(agent_pid); then
      if tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF "$(sed -n "s/^REGEN_CLASSPATH='\(.*\)'$/\1/p" /usr/local/lib/regen/runtime.conf)"; then
        if agent_answers; then
          say "agent: process $pid"
          return
        fi
      fi
      stop_agent
    fi
    setsid regen agent </dev/null >>"$AGENT_LOG" 2>&1 9>&- &
  fi
  local n
  for n in $(seq 100); do
    if agent_answers; then
      say "agent: process $(agent_pid || echo unknown)$(systemd_runs || echo ", log $AGENT_LOG")"
      return
    fi
    sleep 0.2
  done
  [ ! -e "$AGENT_LOG" ] || tail -n 15 "$AGENT_LOG" >&2
  die "the agent does not answer after 20 s; its log says why"
}

stop_agent() {
  local pid n
  pid=$(agent_pid) || return 0
  kill "$pid"
  for n in $(seq 150); do
    [ -d "/proc/$pid" ] || return 0
    sleep 0.2
  done
  die "the agent, process $pid, does not end; see $AGENT_LOG"
}

# Builds the program without running its tests.
build() {
  say "building (the first time downloads Maven and libraries) ..."
  local begin=$SECONDS
  # Maven adds libraries there and takes none away.
  rm -rf "$ROOT/agent/target/lib"
  (cd "$ROOT" && ./mvnw -q -B -ntp -DskipTests package) || die "the build failed; the lines above say why"
  say "built in $((SECONDS - begin)) s"
}

# Puts what was built on this host.
install_regen() {
  "$JAVA_HOME/bin/java" -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED \
    -cp "$(built_classpath)" dev.regen.agent.Main install
}

built_classpath() {
  local jar path=
  for jar in "$ROOT"/agent/target/regen-agent-*.jar "$ROOT"/agent/target/lib/*.jar; do
    case $jar in *-tests.jar | *-sources.jar) continue ;; esac
    path=$path${path:+:}$jar
  done
  printf '%s\n' "$path"
}

# small_image NAME: an image of busybox alone, from this machine's files.
small_image() {
  command -v busybox >/dev/null || apt_install busybox-static
  docker image inspect "$1" >/dev/null 2>&1 && return
  local tree
  tree=$(mktemp -d)
  mkdir -p "$tree"/{bin,etc,root,tmp,var,proc,sys,dev}
  cp "$(command -v busybox)" "$tree/bin/busybox"
  chroot "$tree" /bin/busybox --install -s /bin
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$tree/etc/passwd"
  printf 'welcome\n' >"$tree/etc/motd"
  tar -C "$tree" -c . | docker import --change 'CMD ["/bin/sh"]' --change 'WORKDIR /root' \
    --change 'ENV PATH=/bin' - "$1" >/dev/null
  rm -rf "$tree"
  say "image: $1, made from $(command -v busybox)"
}
