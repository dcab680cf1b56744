# shellcheck shell=bash disable=SC2034
# Names, places and small helpers that every command in this folder shares; sourced, never run.

HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
REPOSITORY=$(realpath "$HERE/../..")
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cst

# Third parties under test: one version each; it is part of the name of the folder in the cache.
declare -A VERSION=(
  [go]=1.25.5
  [kubernetes]=1.35.4
  [etcd]=3.6.7
  [helm]=3.20.2
  [coredns]=1.13.1
  [local-path-provisioner]=0.0.30
  [traefik]=3.7.15
  [gateway-api]=1.5.1
  [pause]=1
  [busybox]=1
  [debian]=trixie
  [name-servers]=bookworm-trixie-2
  [pebble]=2.10.1
  [external-dns]=0.20.0
)

# Where a part is, or will be, in the cache.
part_dir() { printf '%s/%s-%s\n' "$CACHE" "$1" "${VERSION[$1]:?no such part: $1}"; }

note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  note "$*"
  exit 1
}
