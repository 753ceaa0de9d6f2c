# What a snapshot costs: time, disk, memory, and how that grows.

tar_zstd() { tar -C "$1" -c . | zstd -q -3 -T2 >"$WORK/tar.zst"; }

# first_against NAME TREE: the first capture of what `fill_with` leaves, beside its peers. Each is given a disk
# that has nothing to write.
first_against() {
  local name=$1 tree=$2 i container=$QUEUE-$1-commit root
  root=$(busy runc "$container")
  cp -a "$tree" "$root/tree"
  docker stop "$container" >/dev/null
  sleep 20
  [ "$name" != first ] || record "agent at rest, MB" "$(rss)"
  for i in $(seq "$count"); do
    sync
    timed "$name capture: tar | zstd -3 -T2" tar_zstd "$tree"
    rm "$WORK/tar.zst"
    root=$(busy regen "$QUEUE-$name-$i" --rm)
    cp -a "$tree" "$root/tree"
    sync
    forget_peak
    end "$QUEUE-$name-$i"
    capture_time "$name capture: regen" "$QUEUE-$name-$i"
    record "$name capture: agent, MB" "$(peak)"
    regen rm --queue "$QUEUE-$name-$i" >/dev/null
    restic_new
    sync
    timed "$name capture: restic" restic_backup "$tree"
    sync
    timed "$name capture: docker commit" committed "$container"
    uncommitted
    say "$name: $i of $count"
  done
  docker rm -f "$container" >/dev/null
  rm -rf "$WORK/restic"
}

row_first() {
  host_tree
  first_against first "$WORK/tree"
}

row_large() {
  bench_java TreeGenerator 2 "$WORK/large" 40 4000000000 even
  first_against large "$WORK/large"
  rm -rf "$WORK/large"
}

row_second() {
  local how i root queue container seed=0
  rm -rf "$WORK/changing"
  tree "$WORK/changing"
  restic_new
  restic_backup "$WORK/changing" >/dev/null
  container=$QUEUE-second-commit
  cp -a "$WORK/changing" "$(busy runc "$container")/tree"
  docker stop "$container" >/dev/null
  queue=$QUEUE-second
  fill "$queue"
  drained
  for how in clustered scattered; do
    for i in $(seq "$count"); do
      seed=$((seed + 1))
      root=$(busy regen "$queue" --rm)
      churn "$seed" "$root/tree" "$how"
      sync
      end "$queue"
      capture_time "second capture, $how: regen" "$queue"
      churn "$seed" "$WORK/changing" "$how"
      sync
      walk "second capture: bare walk" "$WORK/changing"
      timed "second capture, $how: restic" restic_backup "$WORK/changing"
      [ "$how" = clustered ] || continue
      sync
      timed "second capture: docker commit" committed "$container"
      uncommitted
    done
    say "second, $how: done"
  done
  docker rm -f "$container" >/dev/null
  regen rm --queue "$queue" >/dev/null
  rm -rf "$WORK/changing" "$WORK/restic"
}

# chunk_bytes: what the store takes on disk, in MB.
chunk_mb() { du -s --block-size=1000 "$HOME_DIR/chunks" "$HOME_DIR/snapshots" | awk '{ n += $1 } END { printf "%.1f", n / 1000 }'; }
layers_mb() { du -s --block-size=1000 "$(docker info -f '{{.DockerRootDir}}')/overlay2" | awk '{ printf "%.1f", $1 / 1000 }'; }

row_disk() {
  local i queue=$QUEUE-disk root before container=$QUEUE-disk-commit
  host_tree
  before=$(chunk_mb)
  tree "$(busy regen "$queue" --rm --label regen.keep=10)/tree"
  end "$queue"
  drained
  record "disk: one snapshot, MB" "$(awk "BEGIN { print $(chunk_mb) - $before }")"
  for i in $(seq 9); do
    root=$(busy regen "$queue" --rm --label regen.keep=10)
    churn "$i" "$root/tree"
    end "$queue"
    drained
  done
  record "disk: queue of 10, MB" "$(awk "BEGIN { print $(chunk_mb) - $before }")"
  regen rm --queue "$queue" >/dev/null
  tree "$(busy runc "$container")/tree"
  docker stop "$container" >/dev/null
  before=$(layers_mb)
  for i in 1 2; do docker commit "$container" "$IMAGE-committed:$i" >/dev/null; done
  record "disk: ten commits, MB" "$(awk "BEGIN { print 5 * ($(layers_mb) - $before) }")"
  for i in 1 2; do docker rmi "$IMAGE-committed:$i" >/dev/null; done
  docker rm -f "$container" >/dev/null
}

row_memory() {
  local queue=$QUEUE-memory root
  root=$(busy regen "$queue" --rm)
  bench_java TreeGenerator 3 "$root/tree" 200000 20000000000
  sync
  forget_peak
  end "$queue"
  capture_time "20 GB: capture" "$queue"
  record "20 GB: agent, MB" "$(peak)"
  regen rm --queue "$queue" >/dev/null
}

row_growth() {
  local i n queue root
  for n in 10000 100000 1000000; do
    for i in $(seq 3); do
      queue=$QUEUE-growth-$n-$i
      root=$(busy regen "$queue" --rm)
      bench_java TreeGenerator 4 "$root/tree" "$n" "$((n * 2000))"
      sync
      end "$queue"
      capture_time "growth: first capture of $n files" "$queue"
      root=$(busy regen "$queue" --rm)
      churn "$i" "$root/tree"
      sync
      end "$queue"
      capture_time "growth: second capture of $n files" "$queue"
      regen rm --queue "$queue" >/dev/null
      say "growth: $n files, $i of 3"
    done
  done
}

row_inner() {
  local classpath
  (cd "$ROOT" && ./mvnw -q -B -ntp -pl snapshotter -am -DskipTests package dependency:build-classpath \
    -Dmdep.outputFile="$WORK/classpath" -Dmdep.includeScope=test) || die "the build failed; the lines above say why"
  classpath=$ROOT/snapshotter/target/classes:$ROOT/snapshotter/target/test-classes:$(cat "$WORK/classpath")
  "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED -cp "$classpath" org.openjdk.jmh.Main -rff "$ROOT/target/inner.json" -rf json
}
