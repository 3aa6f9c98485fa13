#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

// A macro, which Swift cannot call.
static inline long tls_set_server_name(SSL *ssl, const char *name) {
  return SSL_set_tlsext_host_name(ssl, name);
}
