# shellcheck shell=bash disable=SC2034
# What is measured of the controller: on a bare API server, with public BINDs that follow its catalog; sourced after lib.sh, never run.

PORT+=([cst]=15304 [public]=15305 [updated]=15306 [second]=15308)
trap 'tests/cluster/control-plane-stop "$PLACE/api"; finish' EXIT

# part NAME: where a build of a third party is.
part() { bash -c "source tests/cluster/lib.sh; part_dir $1"; }

kubectl() { "$(part kubernetes)/kubectl" --kubeconfig "$PLACE/api/admin.kubeconfig" "$@"; }

# build_controller: the controller of this repository, and what it meets.
build_controller() {
  unpack_servers
  tests/cluster/build kubernetes etcd external-dns
  cargo build --quiet --release --locked -p cst
  CST=${CARGO_TARGET_DIR:-target}/release/cst
  EXTERNAL_DNS=$(part external-dns)
}

# api_server: a fresh one with the kinds of both and a tenant.
api_server() {
  tests/cluster/control-plane "$PLACE/api" $$
  kubectl apply --server-side -f crds -f "$EXTERNAL_DNS/crd.yaml" >/dev/null
  kubectl wait --for condition=established --timeout 60s crd --all >/dev/null
  kubectl apply --server-side -f - >/dev/null <<'END'
{apiVersion: v1, kind: Namespace, metadata: {name: cst-system}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: t-bench}}
---
apiVersion: territorial.services/v1alpha1
kind: Tenant
metadata: {name: bench}
spec: {displayName: Bench, entityType: EnteTerritoriale, domains: [bench.example]}
END
}

# bind NAME OPTIONS FILE: a BIND with these options and stanzas.
bind() {
  mkdir -p "$PLACE/$1"
  cat >"$PLACE/$1/named.conf" <<END
key "$KEY" { algorithm hmac-sha256; secret "$SECRET"; };
controls { };
options { directory "$PLACE/$1"; pid-file none; session-keyfile "$PLACE/$1/session.key"; listen-on port ${PORT[$1]} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no; allow-transfer { key "$KEY"; }; serial-query-rate 5000; transfers-in 200; transfers-per-ns 200;
  tcp-clients 2000; $2 };
include "$3";
END
  start "$1" "${RUN[@]}" "$ROOT/usr/sbin/named" -g -c "$PLACE/$1/named.conf"
}

# public NAME…: BINDs that have nothing, and follow the catalog.
public() {
  local name primaries="{ 127.0.0.1 port ${PORT[cst]} key \"$KEY\"; }"
  echo "zone \"catalog.bench.invalid\" { type secondary; primaries $primaries; };" >"$PLACE/catalog"
  for name in "$@"; do
    rm -rf "${PLACE:?}/$name"
    bind "$name" "catalog-zones { zone \"catalog.bench.invalid\" default-primaries $primaries in-memory yes min-update-interval 1; };" "$PLACE/catalog"
  done
}

# controller NAME…: ours, for these public servers.
controller() {
  local name secondaries=()
  for name in "$@"; do secondaries+=("{name: $name, address: \"127.0.0.1:${PORT[$name]}\"}"); done
  mkdir -p "$PLACE/keys"
  echo "$SECRET" >"$PLACE/keys/$KEY"
  cat >"$PLACE/cst.yaml" <<END
apiVersion: territorial.services/v1alpha1
kind: Settings
dns:
  nameServers: [ns1.bench.example]
  hostmaster: hostmaster@bench.example
  catalog: catalog.bench.invalid
  secondaries: [$(IFS=,; echo "${secondaries[*]}")]
END
  KUBECONFIG=$PLACE/api/admin.kubeconfig start cst "$CST" controller --config "$PLACE/cst.yaml" --namespace cst-system --pod bench \
    --keys "$PLACE/keys" --listen "127.0.0.1:${PORT[cst]}"
}
