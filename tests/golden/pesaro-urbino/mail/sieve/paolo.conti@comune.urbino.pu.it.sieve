require ["copy", "envelope", "vacation"];
if not envelope :is "from" "" {
  redirect :copy "p.conti@agency.example.org";
}
