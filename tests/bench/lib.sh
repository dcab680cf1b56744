# shellcheck shell=bash disable=SC2034
# What the measurements share: the bench program, the name servers beside which it is measured, and ending them; sourced, never run.

REPOSITORY=$(realpath "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../..")
KEY=transfer.example SECRET=dGhlIHNlY3JldCBvZiB0aGUgdHJhbnNmZXIga2V5IQ==
PRIMARIES=(ours BIND NSD Knot)
declare -A PORT=([ours]=15300 [BIND]=15301 [NSD]=15302 [Knot]=15303 [secondary]=15309)
declare -A PID=()

cd "$REPOSITORY" || exit
PLACE=$(mktemp -d)
# shellcheck disable=SC2317 # it is called at the end
finish() {
  local pid
  for pid in "${PID[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$PLACE"
}
trap finish EXIT

# build_bench: the bench program of this repository.
build_bench() {
  cargo build --quiet --release --locked -p cst-nameserver --example bench
  BENCH=${CARGO_TARGET_DIR:-target}/release/examples/bench
}

# unpack_servers: the name servers of Debian 13 and their tools, to be run as "${RUN[@]}" "$ROOT/usr/…", by their own loader.
unpack_servers() {
  tests/cluster/build name-servers
  ROOT=$(bash -c 'source tests/cluster/lib.sh; part_dir name-servers')/trixie
  RUN=("$(find "$ROOT"/usr/lib64 "$ROOT"/usr/lib -maxdepth 1 -name 'ld-linux*' | head -n 1)" --library-path "$ROOT/usr/lib/$(uname -m)-linux-gnu")
}

# own_network ARGUMENTS…: goes on in a network of this run's own, once all is built: thousands of short connections a second would use up the machine's
# ports, of which each is kept for a minute.
own_network() {
  if [[ -z ${CST_BENCH_NETWORK:-} ]]; then
    rm -rf "$PLACE"
    CST_BENCH_NETWORK=own exec unshare --net "$0" "$@"
  fi
  ip link set lo up
  echo 16000 65535 >/proc/sys/net/ipv4/ip_local_port_range
}

# start NAME COMMAND…: runs it in the background, its log in a file.
start() {
  local name=$1
  shift
  echo "$*" >"$PLACE/$name.command"
  "$@" &>"$PLACE/$name.log" &
  PID[$name]=$!
}

# command_of NAME: what it was started with, without what makes Debian's packages run in place.
command_of() { sed -E "s#^.*--library-path [^ ]+ ##; s#(${ROOT:-$PLACE}|$PLACE|$REPOSITORY)/##g" "$PLACE/$1.command"; }

# stop NAME
stop() {
  kill "${PID[$1]}" 2>/dev/null || true
  wait "${PID[$1]}" 2>/dev/null || true
  unset "PID[$1]"
}

# give_up NAME: what its log says.
give_up() {
  tail -n 20 "$PLACE/$1.log" >&2
  exit 1
}

# named NAME ZONES: BIND with the zones' stanzas from a file; its rates are raised as in the chart.
named() {
  mkdir -p "$PLACE/$1"
  cat >"$PLACE/$1/named.conf" <<END
key "$KEY" { algorithm hmac-sha256; secret "$SECRET"; };
controls { };
options { directory "$PLACE/$1"; pid-file none; session-keyfile "$PLACE/$1/session.key"; listen-on port ${PORT[$1]} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no; allow-transfer { key "$KEY"; }; serial-query-rate 5000; transfers-in 200; transfers-per-ns 200;
  transfers-out 500; tcp-clients 2000; };
include "$2";
END
  start "$1" "${RUN[@]}" "$ROOT/usr/sbin/named" -g -c "$PLACE/$1/named.conf"
}

# serve NAME FOLDER: starts a primary of the folder's zones; all but ours have them signed already.
serve() {
  local zone folder=$2/signed
  mkdir -p "$PLACE/$1"
  case $1 in
    ours) start ours "$BENCH" serve "$2" "127.0.0.1:${PORT[ours]}" "$KEY" "$SECRET" ;;
    BIND)
      for zone in "$folder"/*; do echo "zone \"${zone##*/}\" { type primary; file \"$zone\"; };"; done >"$PLACE/BIND/zones"
      named BIND "$PLACE/BIND/zones"
      ;;
    NSD)
      {
        cat <<END
server:
  ip-address: 127.0.0.1@${PORT[NSD]}
  username: ""
  chroot: ""
  pidfile: ""
  zonesdir: "$PLACE"
  xfrdir: "$PLACE/NSD"
  xfrdfile: "$PLACE/NSD/xfrd"
  zonelistfile: "$PLACE/NSD/list"
  tcp-count: 2000
remote-control:
  control-enable: no
key:
  name: "$KEY"
  algorithm: hmac-sha256
  secret: "$SECRET"
END
        for zone in "$folder"/*; do
          printf 'zone:\n  name: "%s"\n  zonefile: "%s"\n  provide-xfr: 127.0.0.1 %s\n' "${zone##*/}" "$zone" "$KEY"
        done
      } >"$PLACE/NSD/nsd.conf"
      start NSD "${RUN[@]}" "$ROOT/usr/sbin/nsd" -d -c "$PLACE/NSD/nsd.conf"
      ;;
    Knot)
      {
        cat <<END
server:
  listen: 127.0.0.1@${PORT[Knot]}
  rundir: "$PLACE/Knot"
  tcp-max-clients: 2000
database:
  storage: "$PLACE/Knot"
log:
  - target: stderr
    any: info
key:
  - id: $KEY
    algorithm: hmac-sha256
    secret: $SECRET
acl:
  - id: secondary
    key: $KEY
    action: transfer
zone:
END
        for zone in "$folder"/*; do
          printf -- '  - domain: %s\n    file: "%s"\n    acl: secondary\n' "${zone##*/}" "$zone"
        done
      } >"$PLACE/Knot/knot.conf"
      start Knot "${RUN[@]}" "$ROOT/usr/sbin/knotd" -c "$PLACE/Knot/knot.conf"
      ;;
  esac
}

# transferred NAME ZONE: whether the primary hands out the whole zone, signed.
transferred() {
  dig @127.0.0.1 -p "${PORT[$1]}" -y "hmac-sha256:$KEY:$SECRET" +tries=1 +time=300 "$2" AXFR 2>/dev/null | grep -q 'IN[[:space:]]RRSIG[[:space:]]SOA'
}

# answered NAME FOLDER START: waits until it answers for all zones of the folder; prints how long after START that was, in seconds.
answered() { tests/bench/answered "${PORT[$1]}" "$2/stored" "$3" || give_up "$1"; }

# seconds_since TIME
seconds_since() { date +%s.%N | awk -v start="$1" '{ printf "%.3f\n", $1 - start }'; }

# memory NAME: what it and its own processes hold, in MB.
memory() { ps -o rss= --pid "${PID[$1]}" --ppid "${PID[$1]}" | awk '{ sum += $1 } END { print sum / 1000 }'; }

# processor NAME: the processor time that it and its own processes have taken, in seconds.
processor() {
  local pid
  for pid in $(ps -o pid= --pid "${PID[$1]}" --ppid "${PID[$1]}"); do sed 's/.*) //' "/proc/$pid/stat"; done |
    awk -v ticks="$(getconf CLK_TCK)" '{ sum += $12 + $13 } END { print sum / ticks }'
}

# median NAME: of its runs, by the first figure.
median() { sort -n "$PLACE/$1.runs" | sed -n "$((($(wc -l <"$PLACE/$1.runs") + 1) / 2))p"; }
