# anna@comune.fano.pu.it
require ["copy", "envelope", "fileinto", "vacation"];
if header :is "X-Spam" "Yes" {
  stop;
}
vacation :days 1 :addresses ["anna@comune.fano.pu.it", "urp@comune.fano.pu.it"] :subject "Via \"Roma\" \\ 1" "Torno lunedì.
\"A presto\"
.
";
if not envelope :is "from" "" {
  redirect :copy "a@example.org";
}
# bruno@comune.fano.pu.it
require ["copy", "envelope", "fileinto", "vacation"];
if header :is "X-Spam" "Yes" {
  stop;
}
if not envelope :is "from" "" {
  redirect :copy "b'c@example.org";
  discard;
}
# dario@comune.fano.pu.it
require ["copy", "envelope", "fileinto", "vacation"];
if header :is "X-Spam" "Yes" {
  stop;
}
vacation :days 1 :addresses ["anna@comune.fano.pu.it", "urp@comune.fano.pu.it"] "Torno lunedì.
\"A presto\"
.
";
# lista@comune.fano.pu.it
require ["copy", "envelope", "fileinto", "vacation"];
if not envelope :is "from" "" {
  redirect :copy "l@example.org";
}
discard;
# ufficio@comune.fano.pu.it
require ["copy", "envelope", "fileinto", "vacation"];
if header :is "X-Spam" "Yes" {
  fileinto "INBOX";
  stop;
}
