# shellcheck shell=bash disable=SC2034
# Places and addresses of the node that `up` makes, `images` fills and `down` removes; sourced after lib.sh.

DIR=${CST_CLUSTER_DIR:-/var/lib/cst-cluster}
RUN=/run/cst-cluster
NODE_NAME=cst-node
NODE_DEVICE=cst0
NODE_IP=172.30.0.1
POD_CIDR=10.244.0.0/24
POD_GATEWAY=10.244.0.1
SERVICE_CIDR=10.96.0.0/16
SERVER=https://$NODE_IP:6443
# foreign: whether KUBECONFIG names a cluster that is not the one of `up`.
foreign() { [[ -n ${KUBECONFIG:-} && $KUBECONFIG != "$DIR/admin.kubeconfig" ]]; }

ours() { "$HERE/bin" "$1"; }

kubectl() { "$(ours kubectl)" --kubeconfig "${KUBECONFIG:-$DIR/admin.kubeconfig}" "$@"; }

ctr() { command ctr --address "$RUN/containerd.sock" --namespace k8s.io "$@"; }

# fill FILE: its text with the @NAMES@ of this cluster in it.
fill() { sed "s|@DIR@|$DIR|g; s|@RUN@|$RUN|g; s|@NODE_IP@|$NODE_IP|g; s|@POD_CIDR@|$POD_CIDR|g" "$1"; }
