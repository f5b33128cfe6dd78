/*
 * lock_order.c - the deadlock of openssl#31540 and ruby/openssl#155: one thread flushes, and its remove_cb
 * wants a lock of the program (in Ruby the interpreter's); another holds that lock and adds a session. Where
 * libssl holds its own lock while it calls remove_cb, each waits for the other for ever.
 */
#include <openssl/ssl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static SSL_CTX *ctx;
static pthread_mutex_t programs_lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t lock_is_held, callback_is_called;

static SSL_SESSION *make_session(unsigned char id)
{
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set1_id(session, &id, 1);
    SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
    return session;
}

static void on_remove(SSL_CTX *unused, SSL_SESSION *session)
{
    (void)unused, (void)session;
    sem_post(&callback_is_called);
    pthread_mutex_lock(&programs_lock);
    puts("removed");
    pthread_mutex_unlock(&programs_lock);
}

static void *add_under_lock(void *session)
{
    pthread_mutex_lock(&programs_lock);
    sem_post(&lock_is_held);
    sem_wait(&callback_is_called);
    printf("added %d\n", SSL_CTX_add_session(ctx, session));
    pthread_mutex_unlock(&programs_lock);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    SSL_SESSION *old = make_session(1), *new = make_session(2);
    setvbuf(stdout, NULL, _IOLBF, 0);
    sem_init(&lock_is_held, 0, 0);
    sem_init(&callback_is_called, 0, 0);
    ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    SSL_CTX_add_session(ctx, old);

    pthread_create(&thread, NULL, add_under_lock, new);
    sem_wait(&lock_is_held);
    SSL_CTX_flush_sessions(ctx, 0);
    pthread_join(thread, NULL);
    printf("left %ld\n", SSL_CTX_sess_number(ctx));

    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    SSL_CTX_free(ctx);
    SSL_SESSION_free(old);
    SSL_SESSION_free(new);
    return 0;
}
