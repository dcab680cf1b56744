# shellcheck shell=bash
# etcd and the API server, as `control-plane` and `up` both start them; sourced. Uses DIR.

# start_etcd: on a socket in DIR, so it needs no port and nobody else reaches it. It does not sync to disk: what a test
# cluster holds need not survive the machine. It must advertise an address with a port; nobody is told of it.
start_etcd() {
  running etcd || rm -f "$DIR/etcd.sock"
  ensure etcd "$("$HERE/bin" etcd)" --data-dir "$DIR/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "unix://$DIR/etcd.sock" --advertise-client-urls http://127.0.0.1:0 \
    --listen-peer-urls http://127.0.0.1:0
  await 30 etcd etcd_settled && running etcd || { tail -n 20 "$DIR/etcd.log" >&2; return 1; }
}

# etcd_settled: listening, or ended.
etcd_settled() { [[ -S $DIR/etcd.sock ]] || ! running etcd; }

# start_apiserver ADDRESS PORT [FLAG…]
start_apiserver() {
  local address=$1 port=$2
  shift 2
  ensure kube-apiserver "$("$HERE/bin" kube-apiserver)" --etcd-servers "unix://$DIR/etcd.sock" \
    --bind-address "$address" --advertise-address "$address" --secure-port "$port" \
    --tls-cert-file "$DIR/pki/apiserver.crt" --tls-private-key-file "$DIR/pki/apiserver.key" --client-ca-file "$DIR/pki/ca.crt" \
    --service-account-key-file "$DIR/pki/service-accounts.key" --service-account-signing-key-file "$DIR/pki/service-accounts.key" \
    --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range 10.96.0.0/16 \
    --authorization-mode Node,RBAC --allow-privileged=true "$@"
}

# apiserver_ready: /readyz, asked with the administrator's certificate.
apiserver_ready() {
  [[ $(curl --silent --max-time 5 --cacert "$DIR/pki/ca.crt" --cert "$DIR/pki/admin.crt" --key "$DIR/pki/admin.key" "$SERVER/readyz") == ok ]]
}

# apiserver_settled: ready, or ended.
apiserver_settled() { apiserver_ready || ! running kube-apiserver; }
