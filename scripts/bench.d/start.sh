# How long a container waits for its state, and its end for Regen.

# hot: the tail's tree waits in staging; archived before, or still to be archived when the next run begins.
row_hot() {
  local i root queue=$QUEUE-hot empty=$QUEUE-empty
  host_tree
  fill "$queue"
  under regen "$empty" true
  drained
  under regen "$queue" true
  drained
  for i in $(seq "$count"); do
    timed "next run: runc" under runc "$QUEUE-plain" true
    timed "next run: regen, empty" under regen "$empty" true
    drained
    timed "next run: regen, tree, archived" under regen "$queue" true
    drained
  done
  for i in $(seq "$count"); do
    root=$(busy regen "$queue" --rm)
    churn "$i" "$root/tree"
    sync
    walk "next run: bare walk" "$WORK/tree"
    end "$queue"
    timed "next run: regen, at once after 1 % changed" under regen "$queue" true
    drained
  done
  regen rm --queue "$queue" >/dev/null
  regen rm --queue "$empty" >/dev/null
}

# kept: the end of a container that stays, 1 % changed since its last snapshot.
row_kept() {
  local i runtime name
  host_tree
  for runtime in runc regen; do
    name=$QUEUE-kept-$runtime
    tree "$(busy "$runtime" "$name")/tree"
    docker stop "$name" >/dev/null
    drained
  done
  sleep 30
  for i in $(seq "$count"); do
    for runtime in runc regen; do
      name=$QUEUE-kept-$runtime
      docker start "$name" >/dev/null
      churn "$i" "$(root_of "$name")/tree"
      sync
      timed "docker stop: $runtime" docker stop "$name"
      drained
    done
    # After the archive the agent notes what it knows of the files; a start at once would stop that.
    sleep 10
    # Twice: it is to find the inodes in memory, as the end of the container does.
    find "$WORK/tree" -printf '%s\n' >/dev/null
    walk "docker stop: bare walk" "$WORK/tree"
  done
  docker rm -f "$QUEUE-kept-runc" "$QUEUE-kept-regen" >/dev/null
  regen rm --queue "$QUEUE-kept-regen" >/dev/null
}

tar_unzstd() { mkdir "$WORK/out-tar-$1" && zstd -q -d -c "$WORK/tar.zst" | tar -C "$WORK/out-tar-$1" -x; }
restic_restore() { restic_here restore latest --target "$WORK/out-restic-$1"; }

# restore: a state that only the chunks hold is unpacked, ready for the next run. What the peers unpack stays until
# the end: ext4 is slow to make files where many were deleted a moment ago.
row_restore() {
  local i queue=$QUEUE-restore
  host_tree
  tar_zstd "$WORK/tree"
  restic_new
  restic_backup "$WORK/tree" >/dev/null
  fill "$queue"
  drained
  under regen "$queue" touch /root/more
  drained
  for i in $(seq "$count"); do
    sync
    timed "restore: zstd -d | tar -x" tar_unzstd "$i"
    sync
    timed "restore: restic" restic_restore "$i"
    sync
    timed "restore: regen" regen restore "$queue" --at -1
    under regen "$queue" touch "/root/more$i"
    drained
    sleep 20
  done
  regen rm --queue "$queue" >/dev/null
  rm -rf "$WORK/restic" "$WORK/tar.zst" "$WORK"/out-*
}

# inplace: a kept container goes back by 1 %, and runs again with the same id.
row_inplace() {
  local i name=$QUEUE-inplace
  tree "$(busy regen "$name")/tree"
  docker stop "$name" >/dev/null
  drained
  committed "$name" >/dev/null
  for i in $(seq "$count"); do
    docker start "$name" >/dev/null
    churn "$i" "$(root_of "$name")/tree"
    docker stop "$name" >/dev/null
    drained
    sync
    timed "restore in place: regen" regen restore "$name" --at -1
    docker stop "$name" >/dev/null
    drained
    timed "restore in place: docker run of a commit" \
      docker run --rm --network=none --name "$QUEUE-plain" "$IMAGE-committed" true
  done
  uncommitted
  docker rm -f "$name" >/dev/null
  regen rm --queue "$name" >/dev/null
}
