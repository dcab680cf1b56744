require ["copy", "envelope", "fileinto", "vacation"];
if header :is "X-Spam" "Yes" {
  stop;
}
if not envelope :is "from" "" {
  redirect :copy "p.conti@agency.example.org";
}
