# shellcheck shell=bash
# What a resolver, a correspondent and a visitor would do, printed as it is done; sourced by `run`. Each ends the demo where it fails.

# try COMMAND…: prints the command, runs it, prints what it answered.
try() {
  printf '$ %s\n' "$*"
  "$@"
}

# prove_names: one answer in full, then every zone at both servers, validated from the DS in its Domain's status.
prove_names() {
  local servers server domains zone ds count=0
  servers=("$(service cst-dns ns1)" "$(service cst-dns ns2)")
  try dig "@${servers[0]}" +dnssec +norecurse +noall +answer comune.urbino.pu.it MX
  domains=$(kubectl get domains --all-namespaces --output json | jq -r '.items[] | "\(.status.zone.name) \(.status.zone.ds[0])"')
  while read -r zone ds; do
    for server in "${servers[@]}"; do
      validate "$server" "$zone" "$ds"
    done
    count=$((count + 1))
  done <<<"$domains"
  echo "delv: $count zones fully validated at both public servers, each from the DS in its status"
}

# validate SERVER ZONE DS: asks the server for the zone's SOA and follows its signature to the DS.
validate() {
  local anchor answer
  anchor=$(awk -v zone="$2" '{print "trust-anchors { \"" zone ".\" static-ds " $1 " " $2 " " $3 " \"" $4 "\"; };"}' <<<"$3")
  answer=$(delv "@$1" -a <(echo "$anchor") "+root=$2" "$2" SOA 2>&1) || true
  grep -q '^; fully validated' <<<"$answer" || die "$2 is not valid at $1: $answer"
}

# prove_mail: a message in by SMTP and out by IMAP, one handed in by a login, and the two that must be refused.
prove_mail() {
  local subject="demo $RANDOM$RANDOM" mx box=sindaco@comune.urbino.pu.it
  mx=$(service cst-mail mx)
  try swaks --silent 2 --server "$mx" --from mittente@example.org --to "$box" --header "Subject: $subject" --body "Buongiorno."
  await_message "$box" "$subject"
  echo "IMAP: «$subject» is in the box of $box, read with the password of its Secret"
  submit "$box" "$box" "$subject, sent on"
  await_message "$box" "$subject, sent on"
  refused "$mx" nobody@comune.urbino.pu.it 550
  refused "$mx" somebody@example.com 554
}

password() { kubectl --namespace t-urbino get secret "${1%@*}-password" --output jsonpath='{.data.password}' | base64 --decode; }

# as BOX SERVICE PORT CURL-ARGUMENT…: curl with the box's login, which stands in no argument, at the mail host's name and certificate.
as() {
  local box=$1 address port=$3
  address=$(service cst-mail "$2")
  shift 3
  curl --silent --show-error --max-time 10 --resolve "mx.cst.example.net:$port:$address" --config <(printf 'user = "%s:%s"\n' "$box" "$(password "$box")") \
    --cacert <(kubectl --namespace cst-mail get secret mail-tls --output jsonpath='{.data.tls\.crt}' | base64 --decode) "$@"
}

# await_message BOX SUBJECT: until a login to the box finds it.
await_message() {
  local found until=$((SECONDS + 20))
  until found=$(as "$1" imap 993 --request "SEARCH HEADER Subject \"$2\"" imaps://mx.cst.example.net/INBOX) && [[ $found =~ SEARCH\ [0-9] ]]; do
    ((SECONDS < until)) || die "the message «$2» did not come into the box of $1"
    sleep 0.1
  done
}

# submit FROM TO SUBJECT: by the submission service, over TLS, as a login.
submit() {
  as "$1" submission 587 --ssl-reqd smtp://mx.cst.example.net:587 --mail-from "$1" --mail-rcpt "$2" \
    --upload-file <(printf 'From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\nInoltro.\r\n' "$1" "$2" "$3") >/dev/null ||
    die "the submission service did not take a message of $1"
  echo "submission: $1 logged in and sent «$3» to $2"
}

# refused SERVER RECIPIENT CODE: at RCPT.
refused() {
  local answer
  answer=$(swaks --server "$1" --from mittente@example.org --to "$2" --quit-after RCPT 2>&1 | grep -E '^<\*\* ' || true)
  [[ $answer == "<** $3 "* ]] || die "the mail server did not refuse $2: $answer"
  echo "RCPT TO:<$2>  ${answer#<\*\* }"
}

# prove_sites: every site by its host name through the gateway; and one that counts its visits in its database.
prove_sites() {
  local gateway host
  gateway=$(gateway)
  for host in $(kubectl get websites --all-namespaces --output jsonpath='{.items[*].spec.host}'); do
    printf 'http://%s  %s\n' "$host" "$(page "$gateway" "$host" | grep -o '<h1>.*</h1>')"
  done
  local first second
  first=$(visits "$gateway" comune.urbino.pu.it) second=$(visits "$gateway" comune.urbino.pu.it)
  [[ $second -gt $first ]] || die "the portal does not count its visits: $first, then $second"
  echo "the portal wrote visit $second to its database"
}

page() { curl --silent --show-error --fail --max-time 10 --resolve "$2:80:$1" "http://$2/"; }

visits() { page "$1" "$2" | grep -o 'id="visits">[0-9]*' | grep -o '[0-9]*$'; }
