# What a registry does: Regen's manager beside CNCF's registry 2.8, each asked in turn by the same client.

REGISTRY_PORT=5928 MANAGER_PORT=5929

# fresh_blob: 1 GiB that no registry has seen; sets BLOB_DIGEST. Nothing in it can be compressed, nothing is known.
fresh_blob() {
  head -c 1073741824 /dev/zero | openssl enc -aes-128-ctr -pass "pass:$RANDOM$RANDOM" -nosalt -pbkdf2 >"$WORK/blob"
  BLOB_DIGEST=sha256:$(sha256sum "$WORK/blob" | cut -c 1-64)
}

# registry_config DIRECTORY ADDRESS: prints it.
registry_config() {
  printf 'version: 0.1\nlog: {level: warn}\nstorage:\n  filesystem: {rootdirectory: %s}\n  delete: {enabled: true}\n' "$1"
  printf 'http:\n  addr: %s\n' "$2"
}

# upload_url BASE URL: what a Location header means.
upload_url() { case $2 in http*) printf '%s' "$2" ;; *) printf '%s%s' "$1" "$2" ;; esac; }

# location FILE: of the answer's headers in it.
location() { tr -d '\r' <"$1" | awk 'tolower($1) == "location:" { print $2 }'; }

# push_blob HOST BASE REPOSITORY: the blob, as docker push sends a layer.
push_blob() {
  local host=$1 base=$2 repository=$3 url code
  url=$(upload_url "$base" "$(inside_or_here "$host" curl -si -X POST "$base/v2/$repository/blobs/uploads/" \
    >"$WORK/answer" && location "$WORK/answer")")
  inside_or_here "$host" curl -si -X PATCH -H 'Content-Type: application/octet-stream' -H 'Expect:' \
    -T "$WORK/blob" "$url" >"$WORK/answer"
  url=$(upload_url "$base" "$(location "$WORK/answer")")
  case $url in *\?*) url="$url&" ;; *) url="$url?" ;; esac
  code=$(inside_or_here "$host" curl -s -o /dev/null -w '%{http_code}' -X PUT "${url}digest=$BLOB_DIGEST")
  [ "$code" = 201 ] || die "$base answers $code"
}

pull_blob() { inside_or_here "$1" curl -sf -o /dev/null "$2/v2/$3/blobs/$BLOB_DIGEST"; }

inside_or_here() {
  local host=$1
  shift
  if [ -z "$host" ]; then "$@"; else inside "$host" "$@"; fi
}

# serve NAME PORT COMMAND...: on this host, until halt NAME.
serve() {
  local name=$1 port=$2 n
  shift 2
  mkdir -p "$WORK/net"
  "$@" </dev/null >"$WORK/net/$name.log" 2>&1 &
  process[$name]=$!
  awaits "$name" curl -sf -o /dev/null "http://127.0.0.1:$port/v2/"
}

both_registries() {
  apt_install docker-registry curl openssl
  registry_config "$WORK/registry" "127.0.0.1:$REGISTRY_PORT" >"$WORK/registry.yml"
  serve registry "$REGISTRY_PORT" docker-registry serve "$WORK/registry.yml"
  serve manager "$MANAGER_PORT" "$PROGRAM/bin/regen" manager --listen "127.0.0.1:$MANAGER_PORT" --store "dir:$WORK/manager"
}

# manager_peak SERIES: the most memory that it had.
manager_peak() { record "$1, MB" "$(awk '/^VmHWM/ { printf "%.0f", $2 / 1000 }' "/proc/${process[manager]}/status")"; }

no_registries() {
  halt registry
  halt manager
  rm -rf "$WORK/registry" "$WORK/manager" "$WORK/blob"
}

row_blob() {
  local n peer port
  both_registries
  for n in $(seq 0 "$count"); do
    fresh_blob
    for peer in registry manager; do
      port=$REGISTRY_PORT
      [ "$peer" = registry ] || port=$MANAGER_PORT
      # The first of each is not counted: code is compiled, connections are opened.
      if [ "$n" = 0 ]; then
        push_blob '' "http://127.0.0.1:$port" warm
        pull_blob '' "http://127.0.0.1:$port" warm
      else
        sync
        timed "blob push: $peer" push_blob '' "http://127.0.0.1:$port" "r$n"
        pull_blob '' "http://127.0.0.1:$port" "r$n"
        timed "blob pull: $peer" pull_blob '' "http://127.0.0.1:$port" "r$n"
      fi
    done
  done
  manager_peak "blob: manager"
  no_registries
}

# The client and the manager are on one host without a limit, each storage server on one of 400 Mbit/s; the
# registry is on one of 400 Mbit/s.
row_blobs() {
  local n base
  apt_install docker-registry curl openssl
  plug a none
  plug r 400mbit
  mkdir -p "$WORK/net"
  registry_config "$WORK/registry" "$(address r):$REGISTRY_PORT" >"$WORK/registry.yml"
  launch registry r docker-registry serve "$WORK/registry.yml"
  awaits registry inside a curl -sf -o /dev/null "http://$(address r):$REGISTRY_PORT/v2/"
  storage_on 400mbit s1 s2 s3 s4
  launch manager a "$PROGRAM/bin/regen" manager --listen "$(address a):$MANAGER_PORT" --store "$STORE"
  awaits manager inside a curl -sf -o /dev/null "http://$(address a):$MANAGER_PORT/v2/"
  for n in $(seq 0 "$count"); do
    fresh_blob
    for peer in registry manager; do
      base=http://$(address r):$REGISTRY_PORT
      [ "$peer" = registry ] || base=http://$(address a):$MANAGER_PORT
      if [ "$n" = 0 ]; then
        [ "$peer" = registry ] || push_blob a "$base" warm
        [ "$peer" = registry ] || pull_blob a "$base" warm
      else
        sync
        timed "4 servers, push: $peer" push_blob a "$base" "r$n"
        timed "4 servers, pull: $peer" pull_blob a "$base" "r$n"
      fi
    done
  done
  manager_peak "4 servers: manager"
  no_registries
  for n in s1 s2 s3 s4; do halt "$n"; done
  forgotten
}

# ten_layers TAG: an image of ten layers of 20 MB that no registry has seen.
ten_layers() {
  local n container
  docker tag "$IMAGE" "$1"
  for n in $(seq 10); do
    container=$(docker create --network=none "$1" sh)
    head -c 20000000 /dev/urandom >"$WORK/layer"
    docker cp "$WORK/layer" "$container:/layer$n" >/dev/null
    docker commit "$container" "$1" >/dev/null
    docker rm "$container" >/dev/null
  done
}

row_image() {
  local n peer name
  both_registries
  for n in $(seq 0 "$count"); do
    ten_layers "$IMAGE-committed:ten"
    for peer in registry manager; do
      name=127.0.0.1:$REGISTRY_PORT/ten:$n
      [ "$peer" = registry ] || name=127.0.0.1:$MANAGER_PORT/ten:$n
      docker tag "$IMAGE-committed:ten" "$name"
      if [ "$n" = 0 ]; then docker push -q "$name" >/dev/null; else timed "image push: $peer" docker push -q "$name"; fi
      docker rmi "$name" >/dev/null
    done
    docker rmi "$IMAGE-committed:ten" >/dev/null
    for peer in registry manager; do
      name=127.0.0.1:$REGISTRY_PORT/ten:$n
      [ "$peer" = registry ] || name=127.0.0.1:$MANAGER_PORT/ten:$n
      if [ "$n" = 0 ]; then docker pull -q "$name" >/dev/null; else timed "image pull: $peer" docker pull -q "$name"; fi
      docker rmi "$name" >/dev/null
    done
  done
  manager_peak "image: manager"
  no_registries
}

# small_images BASE: 64 of them, a manifest and a blob each; their paths go to $WORK/paths.
small_images() {
  local n digest config url
  : >"$WORK/paths"
  for n in $(seq 64); do
    printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"n":%s}' "$n" >"$WORK/config"
    digest=sha256:$(sha256sum "$WORK/config" | cut -c 1-64)
    curl -si -X POST "$1/v2/small/blobs/uploads/" >"$WORK/answer"
    url=$(upload_url "$1" "$(location "$WORK/answer")")
    case $url in *\?*) url="$url&" ;; *) url="$url?" ;; esac
    curl -sf -X PUT --data-binary "@$WORK/config" -H 'Content-Type: application/octet-stream' "${url}digest=$digest"
    printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","digest":"%s","size":%s},"layers":[]}' \
      application/vnd.oci.image.manifest.v1+json application/vnd.oci.image.config.v1+json "$digest" \
      "$(stat -c %s "$WORK/config")" >"$WORK/manifest"
    curl -sf -X PUT --data-binary "@$WORK/manifest" -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
      "$1/v2/small/manifests/t$n"
    printf '/v2/small/manifests/t%s\n/v2/small/blobs/%s\n' "$n" "$digest" >>"$WORK/paths"
  done
  awk 'BEGIN { print "local paths = {" } { printf "\"%s\",\n", $0 }
       END { print "}\nlocal n = 0\nfunction request() n = n % #paths + 1; return wrk.format(\"GET\", paths[n]) end" }' \
    "$WORK/paths" >"$WORK/paths.lua"
}

# requests BASE SECONDS: milliseconds for a thousand of them; 64 clients ask at once.
requests() {
  wrk -t1 -c64 -d"$2s" -H 'Accept: application/vnd.oci.image.manifest.v1+json' -s "$WORK/paths.lua" "$1" >"$WORK/wrk"
  ! grep -q 'Non-2xx\|Socket errors' "$WORK/wrk" || die "$1: $(grep 'Non-2xx\|Socket errors' "$WORK/wrk")"
  awk '/^Requests\/sec/ { printf "%.1f", 1e6 / $2 }' "$WORK/wrk"
}

row_requests() {
  local n peer port
  apt_install wrk
  both_registries
  small_images "http://127.0.0.1:$REGISTRY_PORT"
  small_images "http://127.0.0.1:$MANAGER_PORT"
  for n in $(seq 0 "$count"); do
    for peer in registry manager; do
      port=$REGISTRY_PORT
      [ "$peer" = registry ] || port=$MANAGER_PORT
      if [ "$n" = 0 ]; then
        requests "http://127.0.0.1:$port" 10 >/dev/null
      else
        record "1,000 requests: $peer" "$(requests "http://127.0.0.1:$port" 5)"
      fi
    done
  done
  manager_peak "requests: manager"
  no_registries
}
