/*
 * libssl.h - the real libssl of this process, found at first need and called through pointers.
 *
 * The room libssl/ finds the OpenSSL libraries that are loaded and says what differs in their versions. It keeps nothing
 * for an object of theirs.
 *
 * One list says which functions we know: name, what it gives, what it takes, the first version that
 * has it, and whether we stand before it (INTERPOSED) or only call it (BOUND). The struct of
 * pointers, the binding and docs/matrix.md are all made from this list.
 */
#ifndef SSLCACHE_LIBSSL_H
#define SSLCACHE_LIBSSL_H

#include <openssl/lhash.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <time.h>

#include "capi/core.h"

typedef int (*new_session_callback)(SSL *ssl, SSL_SESSION *session);
typedef SSL_SESSION *(*get_session_callback)(SSL *ssl, const unsigned char *id, int length,
                                             int *copy);
typedef void (*remove_session_callback)(SSL_CTX *ctx, SSL_SESSION *session);
typedef LHASH_OF(SSL_SESSION) * session_hash;
typedef GEN_SESSION_CB session_id_generator;

/* The functions that a program may give libcrypto: CRYPTO_set_mem_functions(3). The headers of 1.1.1 have no names. */
typedef void *(*memory_allocate)(size_t size, const char *file, int line);
typedef void *(*memory_reallocate)(void *memory, size_t size, const char *file, int line);
typedef void (*memory_release)(void *memory, const char *file, int line);

/* What the headers of 1.1.1 have otherwise, or not at all: what SSL_SESSION_dup copies is not const. */
#if OPENSSL_VERSION_NUMBER < 0x30000000L
typedef SSL_SESSION copied_session;
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
#define SSL_SESS_CACHE_UPDATE_TIME 0x0400
#else
typedef const SSL_SESSION copied_session;
#endif

/* The same for certificates: what is only read is not const in older headers. */
#if OPENSSL_VERSION_NUMBER < 0x30000000L
typedef X509_VERIFY_PARAM read_parameters;
typedef X509_STORE read_store;
typedef X509_STORE_CTX read_store_context;
#else
typedef const X509_VERIFY_PARAM read_parameters;
typedef const X509_STORE read_store;
typedef const X509_STORE_CTX read_store_context;
#endif
#if OPENSSL_VERSION_NUMBER < 0x40000000L
typedef X509 read_certificate;
#else
typedef const X509 read_certificate;
#endif

typedef int (*chain_verifier)(X509_STORE_CTX *store_context, void *argument);
typedef int (*client_certificate_callback)(SSL *ssl, X509 **certificate, EVP_PKEY **key);

/* And for trust stores. */
#if OPENSSL_VERSION_NUMBER < 0x30000000L
typedef X509_STORE asked_store;
typedef X509_OBJECT asked_object;
#else
typedef const X509_STORE asked_store;
typedef const X509_OBJECT asked_object;
#endif
typedef STACK_OF(X509_OBJECT) * store_objects;
typedef STACK_OF(X509_NAME) * authority_names;

/* Of SSL_CTX_callback_ctrl(3), and the two callbacks of a program that seals its tickets itself. */
struct evp_mac_ctx_st;
typedef void (*any_callback)(void);
typedef int (*hmac_ticket_callback)(SSL *ssl, unsigned char *name, unsigned char *iv,
                                    EVP_CIPHER_CTX *cipher, HMAC_CTX *mac, int seals);
typedef int (*evp_ticket_callback)(SSL *ssl, unsigned char *name, unsigned char *iv,
                                   EVP_CIPHER_CTX *cipher, struct evp_mac_ctx_st *mac, int seals);

/* As <openssl/core.h> of 3.0 has it. */
#if OPENSSL_VERSION_NUMBER < 0x30000000L
struct ossl_param_st {
    const char *key;
    unsigned int data_type;
    void *data;
    size_t data_size;
    size_t return_size;
};
#endif

/* libcrypto 3.3 and later calls the functions of a hash table through these, each of which knows the types of one table. */
typedef unsigned long (*lhash_hash_thunk)(const void *item, OPENSSL_LH_HASHFUNC hash);
typedef int (*lhash_compare_thunk)(const void *one, const void *other, OPENSSL_LH_COMPFUNC compare);
typedef void (*lhash_doall_thunk)(void *item, OPENSSL_LH_DOALL_FUNC use);
typedef void (*lhash_doall_argument_thunk)(void *item, void *argument,
                                           OPENSSL_LH_DOALL_FUNCARG use);

/* Some functions are newer than the headers of some builds, so the types of their arguments are
 * named here. */
struct ossl_lib_ctx_st;

/* clang-format off */
#define LIBSSL_FUNCTIONS(X)                                                                        \
    X(INTERPOSED, 1_1_1, int, OPENSSL_init_ssl, (uint64_t, const OPENSSL_INIT_SETTINGS *))         \
    X(INTERPOSED, 1_1_1, SSL_CTX *, SSL_CTX_new, (const SSL_METHOD *))                             \
    X(INTERPOSED, 3_0, SSL_CTX *, SSL_CTX_new_ex, (struct ossl_lib_ctx_st *, const char *, const SSL_METHOD *)) \
    X(INTERPOSED, 1_1_1, void, SSL_CTX_free, (SSL_CTX *))                                          \
    X(INTERPOSED, 1_1_1, int, SSL_CTX_add_session, (SSL_CTX *, SSL_SESSION *))                     \
    X(INTERPOSED, 1_1_1, int, SSL_CTX_remove_session, (SSL_CTX *, SSL_SESSION *))                  \
    X(INTERPOSED, 1_1_1, void, SSL_CTX_flush_sessions, (SSL_CTX *, long))                          \
    X(INTERPOSED, 3_4, void, SSL_CTX_flush_sessions_ex, (SSL_CTX *, time_t))                       \
    X(INTERPOSED, 1_1_1, void, SSL_CTX_sess_set_new_cb, (SSL_CTX *, new_session_callback))         \
    X(INTERPOSED, 1_1_1, void, SSL_CTX_sess_set_get_cb, (SSL_CTX *, get_session_callback))         \
    X(INTERPOSED, 1_1_1, void, SSL_CTX_sess_set_remove_cb, (SSL_CTX *, remove_session_callback))   \
    X(INTERPOSED, 1_1_1, new_session_callback, SSL_CTX_sess_get_new_cb, (SSL_CTX *))               \
    X(INTERPOSED, 1_1_1, get_session_callback, SSL_CTX_sess_get_get_cb, (SSL_CTX *))               \
    X(INTERPOSED, 1_1_1, remove_session_callback, SSL_CTX_sess_get_remove_cb, (SSL_CTX *))         \
    X(INTERPOSED, 1_1_1, long, SSL_CTX_ctrl, (SSL_CTX *, int, long, void *))                       \
    X(INTERPOSED, 1_1_1, long, SSL_CTX_callback_ctrl, (SSL_CTX *, int, any_callback))              \
    X(INTERPOSED, 3_0, int, SSL_CTX_set_tlsext_ticket_key_evp_cb, (SSL_CTX *, evp_ticket_callback)) \
    X(INTERPOSED, 1_1_1, int, SSL_CTX_set_session_ticket_cb, (SSL_CTX *, SSL_CTX_generate_session_ticket_fn, SSL_CTX_decrypt_session_ticket_fn, void *)) \
    X(INTERPOSED, 1_1_1, session_hash, SSL_CTX_sessions, (SSL_CTX *))                              \
    X(INTERPOSED, 1_1_1, int, SSL_has_matching_session_id, (const SSL *, const unsigned char *, unsigned int)) \
    X(INTERPOSED, 1_1_1, int, SSL_CTX_set_generate_session_id, (SSL_CTX *, session_id_generator))  \
    X(INTERPOSED, 1_1_1, int, SSL_set_generate_session_id, (SSL *, session_id_generator))          \
    X(INTERPOSED, 1_1_1, int, SSL_CTX_set_session_id_context, (SSL_CTX *, const unsigned char *, unsigned int)) \
    X(INTERPOSED, 1_1_1, int, SSL_set_session_id_context, (SSL *, const unsigned char *, unsigned int)) \
    X(INTERPOSED, 1_1_1, void, SSL_set_verify, (SSL *, int, SSL_verify_cb))                        \
    X(INTERPOSED, 1_1_1, SSL *, SSL_new, (SSL_CTX *))                                              \
    X(INTERPOSED, 1_1_1, SSL_CTX *, SSL_set_SSL_CTX, (SSL *, SSL_CTX *))                           \
    X(INTERPOSED, 1_1_1, SSL *, SSL_dup, (SSL *))                                                  \
    X(INTERPOSED, 1_1_1, long, SSL_CTX_set_timeout, (SSL_CTX *, long))                             \
    X(INTERPOSED, 1_1_1, long, SSL_CTX_get_timeout, (const SSL_CTX *))                             \
    X(INTERPOSED, 1_1_1, uint64_t, SSL_CTX_set_options, (SSL_CTX *, uint64_t))                     \
    X(INTERPOSED, 1_1_1, uint64_t, SSL_CTX_clear_options, (SSL_CTX *, uint64_t))                   \
    X(INTERPOSED, 1_1_1, uint64_t, SSL_CTX_get_options, (const SSL_CTX *))                         \
    X(INTERPOSED, 1_1_1, uint64_t, SSL_set_options, (SSL *, uint64_t))                             \
    X(INTERPOSED, 1_1_1, uint64_t, SSL_clear_options, (SSL *, uint64_t))                           \
    X(INTERPOSED, 1_1_1, uint64_t, SSL_get_options, (const SSL *))                                 \
    X(INTERPOSED, 1_1_1, long, SSL_SESSION_set_time, (SSL_SESSION *, long))                        \
    X(INTERPOSED, 3_3, time_t, SSL_SESSION_set_time_ex, (SSL_SESSION *, time_t))                   \
    X(INTERPOSED, 1_1_1, long, SSL_SESSION_set_timeout, (SSL_SESSION *, long))                     \
    X(INTERPOSED, 1_1_1, SSL_SESSION *, SSL_SESSION_new, (void))                                   \
    X(INTERPOSED, 1_1_1, SSL_SESSION *, SSL_SESSION_dup, (copied_session *))                       \
    X(INTERPOSED, 1_1_1, int, SSL_SESSION_up_ref, (SSL_SESSION *))                                 \
    X(INTERPOSED, 1_1_1, void, SSL_SESSION_free, (SSL_SESSION *))                                  \
    X(INTERPOSED, 1_1_1, SSL_SESSION *, SSL_get1_session, (SSL *))                                 \
    X(INTERPOSED, 1_1_1, SSL_SESSION *, d2i_SSL_SESSION, (SSL_SESSION **, const unsigned char **, long)) \
    X(INTERPOSED, 3_2, SSL_SESSION *, d2i_SSL_SESSION_ex, (SSL_SESSION **, const unsigned char **, long, struct ossl_lib_ctx_st *, const char *)) \
    X(INTERPOSED, 1_1_1, SSL_SESSION *, PEM_read_bio_SSL_SESSION, (BIO *, SSL_SESSION **, pem_password_cb *, void *)) \
    X(INTERPOSED, 1_1_1, SSL_SESSION *, PEM_read_SSL_SESSION, (FILE *, SSL_SESSION **, pem_password_cb *, void *)) \
    X(INTERPOSED, 1_1_1, void, SSL_free, (SSL *))                                                  \
    X(INTERPOSED, 1_1_1, int, SSL_clear, (SSL *))                                                  \
    X(INTERPOSED, 1_1_1, int, SSL_set_session, (SSL *, SSL_SESSION *))                             \
    X(INTERPOSED, 1_1_1, int, SSL_connect, (SSL *))                                                \
    X(INTERPOSED, 1_1_1, int, SSL_do_handshake, (SSL *))                                           \
    X(INTERPOSED, 1_1_1, int, SSL_shutdown, (SSL *))                                               \
    X(INTERPOSED, 1_1_1, int, SSL_CTX_set_alpn_protos, (SSL_CTX *, const unsigned char *, unsigned int)) \
    X(INTERPOSED, 1_1_1, int, SSL_set_alpn_protos, (SSL *, const unsigned char *, unsigned int))   \
    X(INTERPOSED, 1_1_1, void, SSL_CTX_set_cert_verify_callback, (SSL_CTX *, chain_verifier, void *)) \
    X(INTERPOSED, 1_1_1, int, SSL_CTX_dane_enable, (SSL_CTX *))                                    \
    X(BOUND, 1_1_1, long, SSL_SESSION_get_time, (const SSL_SESSION *))                             \
    X(BOUND, 1_1_1, long, SSL_SESSION_get_timeout, (const SSL_SESSION *))                          \
    X(BOUND, 1_1_1, const unsigned char *, SSL_SESSION_get_id, (const SSL_SESSION *, unsigned int *)) \
    X(BOUND, 1_1_1, int, SSL_SESSION_set1_id, (SSL_SESSION *, const unsigned char *, unsigned int)) \
    X(BOUND, 1_1_1, int, SSL_SESSION_get_protocol_version, (const SSL_SESSION *))                  \
    X(BOUND, 1_1_1, int, SSL_SESSION_set_protocol_version, (SSL_SESSION *, int))                   \
    X(BOUND, 1_1_1, const unsigned char *, SSL_SESSION_get0_id_context, (const SSL_SESSION *, unsigned int *)) \
    X(BOUND, 1_1_1, int, SSL_SESSION_set1_id_context, (SSL_SESSION *, const unsigned char *, unsigned int)) \
    X(BOUND, 1_1_1, int, SSL_SESSION_is_resumable, (const SSL_SESSION *))                          \
    X(BOUND, 1_1_1, uint32_t, SSL_SESSION_get_max_early_data, (const SSL_SESSION *))              \
    X(BOUND, 1_1_1, int, SSL_SESSION_set_ex_data, (SSL_SESSION *, int, void *))                    \
    X(BOUND, 1_1_1, void *, SSL_SESSION_get_ex_data, (const SSL_SESSION *, int))                   \
    X(BOUND, 1_1_1, int, i2d_SSL_SESSION, (const SSL_SESSION *, unsigned char **))                 \
    X(BOUND, 1_1_1, const SSL_METHOD *, TLS_method, (void))                                        \
    X(BOUND, 1_1_1, SSL_CTX *, SSL_get_SSL_CTX, (const SSL *))                                     \
    X(BOUND, 1_1_1, SSL_SESSION *, SSL_get_session, (const SSL *))                                 \
    X(BOUND, 1_1_1, int, SSL_is_init_finished, (const SSL *))                                      \
    X(BOUND, 1_1_1, int, SSL_get_verify_mode, (const SSL *))                                       \
    X(BOUND, 1_1_1, int, SSL_CTX_get_verify_mode, (const SSL_CTX *))                               \
    X(BOUND, 1_1_1, SSL_verify_cb, SSL_CTX_get_verify_callback, (const SSL_CTX *))                 \
    X(BOUND, 1_1_1, size_t, SSL_get_num_tickets, (const SSL *))                                    \
    X(BOUND, 1_1_1, int, SSL_set_num_tickets, (SSL *, size_t))                                     \
    X(BOUND, 1_1_1, int, SSL_is_server, (const SSL *))                                             \
    X(BOUND, 1_1_1, int, SSL_version, (const SSL *))                                               \
    X(BOUND, 1_1_1, uint32_t, SSL_get_max_early_data, (const SSL *))                               \
    X(BOUND, 3_2, int, SSL_is_quic, (const SSL *))                                                 \
    X(BOUND, 1_1_1, void *, CRYPTO_malloc, (size_t, const char *, int))                            \
    X(BOUND, 1_1_1, void, CRYPTO_get_mem_functions, (memory_allocate *, memory_reallocate *, memory_release *)) \
    X(BOUND, 1_1_1, X509 *, SSL_CTX_get0_certificate, (const SSL_CTX *))                           \
    X(BOUND, 1_1_1, int, SSL_client_hello_get0_ext, (SSL *, unsigned int, const unsigned char **, size_t *)) \
    X(BOUND, 1_1_1, void, SSL_set_allow_early_data_cb, (SSL *, SSL_allow_early_data_cb_fn, void *)) \
    X(BOUND, 1_1_1, authority_names, SSL_CTX_get_client_CA_list, (const SSL_CTX *))                \
    X(BOUND, 1_1_1, int, SSL_CTX_get_verify_depth, (const SSL_CTX *))                              \
    X(BOUND, 1_1_1, int, X509_up_ref, (X509 *))                                                    \
    X(BOUND, 1_1_1, int, X509_digest, (const X509 *, const EVP_MD *, unsigned char *, unsigned int *)) \
    X(BOUND, 1_1_1, int, X509_pubkey_digest, (const X509 *, const EVP_MD *, unsigned char *, unsigned int *)) \
    X(BOUND, 1_1_1, int, X509_CRL_digest, (const X509_CRL *, const EVP_MD *, unsigned char *, unsigned int *)) \
    X(BOUND, 1_1_1, int, X509_NAME_digest, (const X509_NAME *, const EVP_MD *, unsigned char *, unsigned int *)) \
    X(BOUND, 1_1_1, int, X509_STORE_lock, (X509_STORE *))                                          \
    X(BOUND, 1_1_1, int, X509_STORE_unlock, (X509_STORE *))                                        \
    X(BOUND, 1_1_1, store_objects, X509_STORE_get0_objects, (asked_store *))                       \
    X(BOUND, 1_1_1, X509_LOOKUP_TYPE, X509_OBJECT_get_type, (const X509_OBJECT *))                 \
    X(BOUND, 1_1_1, X509 *, X509_OBJECT_get0_X509, (const X509_OBJECT *))                          \
    X(BOUND, 1_1_1, X509_CRL *, X509_OBJECT_get0_X509_CRL, (asked_object *))                       \
    X(BOUND, 1_1_1, const EVP_MD *, EVP_sha256, (void))                                            \
    X(BOUND, 1_1_1, const EVP_CIPHER *, EVP_aes_256_cbc, (void))                                   \
    X(BOUND, 1_1_1, int, EVP_EncryptInit_ex, (EVP_CIPHER_CTX *, const EVP_CIPHER *, ENGINE *, const unsigned char *, const unsigned char *)) \
    X(BOUND, 1_1_1, int, EVP_DecryptInit_ex, (EVP_CIPHER_CTX *, const EVP_CIPHER *, ENGINE *, const unsigned char *, const unsigned char *)) \
    X(BOUND, 1_1_1, unsigned char *, HMAC, (const EVP_MD *, const void *, int, const unsigned char *, size_t, unsigned char *, unsigned int *)) \
    X(BOUND, 1_1_1, int, HMAC_Init_ex, (HMAC_CTX *, const void *, int, const EVP_MD *, ENGINE *))  \
    X(BOUND, 3_0, int, EVP_MAC_CTX_set_params, (struct evp_mac_ctx_st *, const struct ossl_param_st *)) \
    X(BOUND, 1_1_1, void, OPENSSL_cleanse, (void *, size_t))                                       \
    X(BOUND, 1_1_1, void *, CRYPTO_zalloc, (size_t, const char *, int))                            \
    X(BOUND, 1_1_1, int, CRYPTO_get_ex_new_index, (int, long, void *, CRYPTO_EX_new *, CRYPTO_EX_dup *, CRYPTO_EX_free *)) \
    X(BOUND, 1_1_1, const char *, OpenSSL_version, (int))                                          \
    X(BOUND, 1_1_1, int, RAND_bytes, (unsigned char *, int))                                       \
    X(BOUND, 1_1_1, const EVP_CIPHER *, EVP_aes_256_gcm, (void))                                   \
    X(BOUND, 1_1_1, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void))                                  \
    X(BOUND, 1_1_1, void, EVP_CIPHER_CTX_free, (EVP_CIPHER_CTX *))                                 \
    X(BOUND, 1_1_1, int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX *, int, int, void *))                \
    X(BOUND, 1_1_1, int, EVP_CipherInit_ex, (EVP_CIPHER_CTX *, const EVP_CIPHER *, ENGINE *, const unsigned char *, const unsigned char *, int)) \
    X(BOUND, 1_1_1, int, EVP_CipherUpdate, (EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int)) \
    X(BOUND, 1_1_1, int, EVP_CipherFinal_ex, (EVP_CIPHER_CTX *, unsigned char *, int *))           \
    X(BOUND, 1_1_1, int, ERR_set_mark, (void))                                                     \
    X(BOUND, 1_1_1, int, ERR_pop_to_mark, (void))                                                  \
    X(BOUND, 1_1_1, unsigned long, ERR_peek_last_error, (void))                                    \
    X(BOUND, 1_1_1, unsigned long, OpenSSL_version_num, (void))                                    \
    X(BOUND, 1_1_1, void, CRYPTO_free, (void *, const char *, int))                                \
    X(BOUND, 1_1_1, int, SSL_in_before, (const SSL *))                                             \
    X(BOUND, 1_1_1, int, SSL_is_dtls, (const SSL *))                                               \
    X(BOUND, 1_1_1, int, SSL_get_error, (const SSL *, int))                                        \
    X(BOUND, 1_1_1, int, SSL_get_rfd, (const SSL *))                                               \
    X(BOUND, 1_1_1, int, SSL_get_wfd, (const SSL *))                                               \
    X(BOUND, 1_1_1, int, SSL_session_reused, (const SSL *))                                        \
    X(BOUND, 1_1_1, int, SSL_SESSION_set_max_early_data, (SSL_SESSION *, uint32_t))                \
    X(BOUND, 1_1_1, const char *, SSL_get_servername, (const SSL *, const int))                    \
    X(BOUND, 1_1_1, const char *, SSL_get_cipher_list, (const SSL *, int))                         \
    X(BOUND, 1_1_1, int, SSL_get_security_level, (const SSL *))                                    \
    X(BOUND, 1_1_1, long, SSL_ctrl, (SSL *, int, long, void *))                                    \
    X(BOUND, 1_1_1, X509 *, SSL_get_certificate, (const SSL *))                                    \
    X(BOUND, 1_1_1, client_certificate_callback, SSL_CTX_get_client_cert_cb, (SSL_CTX *))          \
    X(BOUND, 1_1_1, int, SSL_ct_is_enabled, (const SSL *))                                         \
    X(BOUND, 1_1_1, long, SSL_get_verify_result, (const SSL *))                                    \
    X(BOUND, 1_1_1, int, SSL_get_verify_depth, (const SSL *))                                      \
    X(BOUND, 1_1_1, SSL_verify_cb, SSL_get_verify_callback, (const SSL *))                         \
    X(BOUND, 1_1_1, X509_VERIFY_PARAM *, SSL_get0_param, (SSL *))                                  \
    X(BOUND, 1_1_1, STACK_OF(X509) *, SSL_get_peer_cert_chain, (const SSL *))                      \
    X(BOUND, 1_1_1, X509_STORE *, SSL_CTX_get_cert_store, (const SSL_CTX *))                       \
    X(BOUND, 1_1_1, unsigned long, X509_VERIFY_PARAM_get_flags, (read_parameters *))           \
    X(BOUND, 1_1_1, uint32_t, X509_VERIFY_PARAM_get_inh_flags, (const X509_VERIFY_PARAM *))        \
    X(BOUND, 1_1_1, unsigned int, X509_VERIFY_PARAM_get_hostflags, (const X509_VERIFY_PARAM *))    \
    X(BOUND, 1_1_1, time_t, X509_VERIFY_PARAM_get_time, (const X509_VERIFY_PARAM *))               \
    X(BOUND, 3_0, char *, X509_VERIFY_PARAM_get0_host, (X509_VERIFY_PARAM *, int))                 \
    X(BOUND, 3_0, char *, X509_VERIFY_PARAM_get0_email, (X509_VERIFY_PARAM *))                     \
    X(BOUND, 3_0, char *, X509_VERIFY_PARAM_get1_ip_asc, (X509_VERIFY_PARAM *))                    \
    X(BOUND, 1_1_1, int, X509_VERIFY_PARAM_set1, (X509_VERIFY_PARAM *, const X509_VERIFY_PARAM *)) \
    X(BOUND, 1_1_1, void, X509_VERIFY_PARAM_set_auth_level, (X509_VERIFY_PARAM *, int))            \
    X(BOUND, 1_1_1, X509_STORE_CTX_verify_cb, X509_STORE_get_verify_cb, (read_store *))       \
    X(BOUND, 1_1_1, X509_STORE_CTX *, X509_STORE_CTX_new, (void))                                  \
    X(BOUND, 1_1_1, void, X509_STORE_CTX_free, (X509_STORE_CTX *))                                 \
    X(BOUND, 1_1_1, int, X509_STORE_CTX_init, (X509_STORE_CTX *, X509_STORE *, read_certificate *, STACK_OF(X509) *)) \
    X(BOUND, 1_1_1, int, X509_STORE_CTX_set_default, (X509_STORE_CTX *, const char *))             \
    X(BOUND, 1_1_1, X509_VERIFY_PARAM *, X509_STORE_CTX_get0_param, (read_store_context *))            \
    X(BOUND, 1_1_1, int, X509_verify_cert, (X509_STORE_CTX *))                                     \
    X(BOUND, 1_1_1, STACK_OF(X509) *, X509_chain_up_ref, (STACK_OF(X509) *))                       \
    X(BOUND, 1_1_1, void, X509_free, (X509 *))                                                     \
    X(BOUND, 1_1_1, int, OPENSSL_sk_num, (const OPENSSL_STACK *))                                  \
    X(BOUND, 1_1_1, void *, OPENSSL_sk_value, (const OPENSSL_STACK *, int))                        \
    X(BOUND, 1_1_1, void, OPENSSL_sk_free, (OPENSSL_STACK *))                                      \
    X(BOUND, 1_1_1, OPENSSL_LHASH *, OPENSSL_LH_new, (OPENSSL_LH_HASHFUNC, OPENSSL_LH_COMPFUNC))   \
    X(BOUND, 1_1_1, void, OPENSSL_LH_free, (OPENSSL_LHASH *))                                      \
    X(BOUND, 3_3, OPENSSL_LHASH *, OPENSSL_LH_set_thunks, (OPENSSL_LHASH *, lhash_hash_thunk, lhash_compare_thunk, lhash_doall_thunk, lhash_doall_argument_thunk)) \
    X(BOUND, 1_1_1, void, OPENSSL_LH_set_down_load, (OPENSSL_LHASH *, unsigned long))              \
    X(BOUND, 1_1_1, void *, OPENSSL_LH_delete, (OPENSSL_LHASH *, const void *))                    \
    X(BOUND, 1_1_1, void *, OPENSSL_LH_insert, (OPENSSL_LHASH *, void *))                          \
    X(BOUND, 1_1_1, void, OPENSSL_LH_doall_arg, (OPENSSL_LHASH *, OPENSSL_LH_DOALL_FUNCARG, void *))
/* clang-format on */

/* What the version of libssl that is loaded does differently from the others. */
struct libssl_rules {
    struct core_rules cache;
    bool refuses_not_resumable;   /* what get_cb gives, where it is not resumable (3.0 and later) */
    bool updates_time;            /* knows SSL_SESS_CACHE_UPDATE_TIME (3.0 and later) */
    bool flushes_all_before_1970; /* a flush at a negative time removes all (3.4 and later) */
    bool frees_one_by_one;        /* a flush frees a session before it drops the next (1.1.1) */
    bool keeps_times_before_1970; /* a session that was made before 1970 never expires (3.0) */
    bool calls_by_name; /* its own calls of functions that we stand before come to us too */
};

struct libssl {
#define X(role, since, result, name, arguments) result(*name) arguments;
    LIBSSL_FUNCTIONS(X)
#undef X
    struct libssl_rules rules;
    bool complete; /* all of it is there that we need to stand in for its cache */
};

extern struct libssl libssl;

/*
 * Finds and binds the real libssl unless that was done. Reports whether `libssl` can be called; where it can't, one
 * line on standard error has said why. It may succeed later, when a libssl was loaded. A libssl that lacks a function
 * that we need is bound too, and the program's calls are handed on to it. To be called with no lock held: whoever has
 * the dynamic linker's may call us.
 */
bool libssl_ready(void);

/* The same where a libssl is loaded already, and without a word where none is. */
void libssl_look(void);

/*
 * Memory, all 0, for what hangs on an object of libssl: of libcrypto's allocator, which may be the program's and share
 * it with other processes. NULL: there is none.
 */
static inline void *libssl_allocate(size_t size)
{
    libssl.ERR_set_mark();
    void *memory = libssl.CRYPTO_zalloc(size, __FILE__, __LINE__);
    libssl.ERR_pop_to_mark();
    return memory;
}

enum { LIBSSL_MAC_SIZE = 32 };

/* HMAC-SHA256. False: libcrypto can't; no error of that is in the program's queue, where libssl would take it for its own. */
static inline bool libssl_mac(const void *key, size_t key_length, const void *text, size_t length,
                              unsigned char mac[LIBSSL_MAC_SIZE])
{
    unsigned int size = LIBSSL_MAC_SIZE;
    libssl.ERR_set_mark();
    bool done =
        libssl.HMAC(libssl.EVP_sha256(), key, (int)key_length, text, length, mac, &size) != NULL;
    libssl.ERR_pop_to_mark();
    return done;
}

static inline void libssl_free(void *memory)
{
    libssl.CRYPTO_free(memory, __FILE__, __LINE__);
}

/* Whether an address lies in the libssl that is bound: the call is one of its own. */
bool libssl_contains(const void *address);

/* The same of libssl and the libcrypto below it, which calls back functions of libssl. */
bool libssl_or_libcrypto_contains(const void *address);

/* Whether the object that an address lies in is linked with a function of that name. */
bool libssl_is_linked_with(const void *address, const char *name);

/* Whether a loaded object of that path is a libssl, as its name says. */
bool libssl_is_path(const char *path);

#endif
