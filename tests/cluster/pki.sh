# shellcheck shell=bash
# Certificates and kubeconfigs of a cluster of our own (EC P-256: made in milliseconds); sourced. Uses DIR and SERVER.

openssl_quiet() { openssl "$@" 2>"$DIR/pki/openssl.log" || { cat "$DIR/pki/openssl.log" >&2; return 1; }; }

# pki_authority: the authority ca.{key,crt} and the key that signs service account tokens.
pki_authority() {
  (
    umask 077
    mkdir -p "$DIR/pki"
    openssl_quiet ecparam -genkey -name prime256v1 -noout -out "$DIR/pki/service-accounts.key"
    openssl_quiet req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=cst-test-authority \
      -keyout "$DIR/pki/ca.key" -out "$DIR/pki/ca.crt"
  )
}

# pki_certificate NAME SUBJECT [SUBJECTALTNAMES]: pki/NAME.{key,crt} for both sides of TLS.
pki_certificate() {
  local name=$1 subject=$2 names=${3:-DNS:$1}
  (
    umask 077
    cd "$DIR/pki" || exit
    openssl_quiet req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$subject" -keyout "$name.key" -out "$name.csr"
    openssl_quiet x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -days 3650 -out "$name.crt" \
      -set_serial "0x$(openssl rand -hex 8)" \
      -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$names")
    rm "$name.csr"
  )
}

# pki_kubeconfig NAME SUBJECT [SUBJECTALTNAMES]: a certificate and DIR/NAME.kubeconfig that holds it.
pki_kubeconfig() {
  local name=$1
  pki_certificate "$@"
  (
    umask 077
    cat >"$DIR/$name.kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: cst
contexts: [{name: cst, context: {cluster: cst, user: $name}}]
clusters: [{name: cst, cluster: {server: "$SERVER", certificate-authority-data: $(base64 -w0 "$DIR/pki/ca.crt")}}]
users:
- name: $name
  user:
    client-certificate-data: $(base64 -w0 "$DIR/pki/$name.crt")
    client-key-data: $(base64 -w0 "$DIR/pki/$name.key")
END
  )
}
