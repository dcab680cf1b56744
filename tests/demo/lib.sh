# shellcheck shell=bash
# Installing the chart, applying the example, and looking at both; sourced by `run` and `remove`.

DEMO=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
source "$DEMO/../cluster/lib.sh"
source "$HERE/cluster.sh"
EXAMPLE=$REPOSITORY/examples/pesaro-urbino
STARTED=$SECONDS

# begin TITLE: a part of the demo, with the time since its start.
begin() { printf '\n%s== %s%s  (%d s)\n' "${BOLD-}" "$1" "${PLAIN-}" $((SECONDS - STARTED)); }
[[ ! -t 1 ]] || { BOLD=$'\e[1m' PLAIN=$'\e[0m'; }

helm() { "$(ours helm)" --kubeconfig "$KUBECONFIG" "$@" 2> >(grep -v 'found symbolic link in path' >&2); }

install_chart() {
  local values=()
  ! kubectl get gatewayclass traefik &>/dev/null || values=(--set web.gatewayClass=traefik)
  helm upgrade --install cst "$REPOSITORY/charts/cst" --namespace cst-system --create-namespace \
    --set-file "settings=$EXAMPLE/cst.yaml" "${values[@]}" --wait --timeout 5m >/dev/null
}

# restart_on IMAGE…: what runs an image of ours that changed under its tag takes it by a new pod; a release's first pods have it.
restart_on() {
  local workloads image
  workloads=$(kubectl get deployments,statefulsets --all-namespaces --output json)
  for image in "$@"; do
    jq -r --arg image "cst.local/$image:dev" '.items[] | select(.metadata.generation == .status.observedGeneration)
      | select(any(.spec.template.spec.containers[]; .image == $image)) | "\(.metadata.namespace) \(.kind)/\(.metadata.name)"' <<<"$workloads"
  done | sort -u | while read -r namespace workload; do
    kubectl --namespace "$namespace" rollout restart "$workload" >/dev/null
    kubectl --namespace "$namespace" rollout status --timeout 3m "$workload" >/dev/null
  done
}

apply_example() {
  local objects
  objects=$(kubectl apply --server-side --recursive -f "$EXAMPLE/tenants" -f "$EXAMPLE/members" --output name | wc -l)
  echo "kubectl apply --server-side -R: $objects objects"
}

# Everything declared, or what is not, and why.
await_ready() {
  kubectl wait --for=condition=Ready --timeout=3m --all --all-namespaces tenants,domains,mailboxes,websites >/dev/null && return
  kubectl get tenants,domains,mailboxes,websites --all-namespaces | grep -vE ' True +(Ready|Suspended) ' >&2
  die "not everything is Ready"
}

# service NAMESPACE NAME: its address.
service() { kubectl --namespace "$1" get service "$2" --output jsonpath='{.spec.clusterIP}'; }

# gateway: the address of the Gateway that the sites' routes join.
gateway() { kubectl --namespace cst-web get gateway cst --output jsonpath='{.status.addresses[0].value}'; }

table_of_entities() {
  kubectl get tenants,domains,mailboxes,websites --all-namespaces --output json | jq -r '
    def of($kind; $name): map(select(.kind == $kind and .metadata.namespace == "t-" + $name));
    .items as $all
    | ["ENTITY", "TYPE", "DOMAINS", "MAILBOXES", "SITES"],
      ($all[] | select(.kind == "Tenant") | .metadata.name as $name
       | [.spec.displayName, .spec.entityType, ($all | of("Domain"; $name) | length), ($all | of("Mailbox"; $name) | length),
          ($all | of("WebSite"; $name) | map(.spec.host) | join(" "))]) | @tsv' | column -t -s $'\t'
}

how_to_use() {
  local ns1 gateway
  ns1=$(service cst-dns ns1) gateway=$(gateway)
  cat <<END
export KUBECONFIG=$KUBECONFIG PATH=$(dirname "$(ours kubectl)"):\$PATH
kubectl get tn,dom,mbx,site -A                                     # what is served, and what is not, and why
kubectl -n t-mondavio edit dom comune.mondavio.pu.it               # change a record, then ask again:
dig @$ns1 +dnssec comune.mondavio.pu.it MX
kubectl -n t-urbino get secret sindaco-password -o jsonpath='{.data.password}' | base64 -d
curl --resolve comune.urbino.pu.it:80:$gateway http://comune.urbino.pu.it/
make demo-down                                                     # removes it all
END
}
