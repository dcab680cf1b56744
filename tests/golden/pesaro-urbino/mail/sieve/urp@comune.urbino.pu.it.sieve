require ["copy", "envelope", "fileinto", "vacation"];
if header :is "X-Spam" "Yes" {
  fileinto "INBOX";
  stop;
}
