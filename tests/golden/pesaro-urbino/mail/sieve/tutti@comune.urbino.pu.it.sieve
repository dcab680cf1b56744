require ["copy", "envelope", "fileinto", "vacation"];
if not envelope :is "from" "" {
  redirect :copy "rsu.urbino@union.example.org";
}
discard;
