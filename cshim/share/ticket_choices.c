#include "cshim/share/ticket_choices.h"

#include <string.h>

#include "cshim/share/ticket_identity.h"

enum { NAMES = 256 };

struct choice {
    unsigned char identity[TICKET_IDENTITY_SIZE];
    uint32_t verify_mode;
    uint8_t length;
    char name[];
};

struct ticket_names {
    struct choice *choices[NAMES];
};

static unsigned place_of(const struct ticket_label *label)
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < label->server_name_length; i++)
        hash = (hash ^ (unsigned char)label->server_name[i]) * 16777619;
    return (hash ^ hash >> 16) % NAMES;
}

/* The lock of the keys is held. */
static struct choice *find_choice(const struct context *first, const struct ticket_label *label)
{
    const struct ticket_names *names = first->tickets.names;
    struct choice *choice = names != NULL ? names->choices[place_of(label)] : NULL;
    bool is_it = choice != NULL && choice->length == label->server_name_length &&
                 memcmp(choice->name, label->server_name, choice->length) == 0;
    return is_it ? choice : NULL;
}

/* The lock of the keys is held. */
static bool is_known_choice(const struct context *first, const struct ticket_label *label)
{
    const struct choice *choice = find_choice(first, label);
    return choice != NULL && choice->verify_mode == label->verify_mode &&
           memcmp(choice->identity, label->identity, sizeof(label->identity)) == 0;
}

/* Notes it in place of another, and gives back which. The lock of the keys is held. */
static struct choice *put_choice(struct context *first, const struct ticket_label *label,
                                 struct choice *choice)
{
    struct choice **place = &first->tickets.names->choices[place_of(label)];
    struct choice *before = *place;
    *place = choice;
    return before;
}

/* Whether another SSL_CTX, or another certificate, may be chosen by the name. */
static bool may_switch(const struct context *first, const struct context *present)
{
    return atomic_load(&first->tickets.chooses_by_name) ||
           (present != NULL && atomic_load(&present->tickets.chooses_by_name));
}

void ticket_choices_note(struct context *first, const SSL *ssl, const struct ticket_label *label)
{
    if (!may_switch(first, context_attached(libssl.SSL_get_SSL_CTX(ssl))))
        return;
    ticket_keys_lock();
    bool is_known = is_known_choice(first, label), has_names = first->tickets.names != NULL;
    ticket_keys_unlock();
    if (is_known)
        return;
    struct ticket_names *names = has_names ? NULL : libssl_allocate(sizeof(*names));
    struct choice *choice = libssl_allocate(sizeof(*choice) + label->server_name_length);
    if (choice == NULL || (names == NULL && !has_names)) {
        libssl_free(choice);
        libssl_free(names);
        return;
    }
    memcpy(choice->identity, label->identity, sizeof(choice->identity));
    choice->verify_mode = label->verify_mode;
    choice->length = label->server_name_length;
    memcpy(choice->name, label->server_name, choice->length);
    ticket_keys_lock();
    if (first->tickets.names == NULL) {
        first->tickets.names = names;
        names = NULL;
    }
    choice = put_choice(first, label, choice);
    ticket_keys_unlock();
    libssl_free(choice);
    libssl_free(names);
}

static bool recall_choice(const struct context *first, struct ticket_label *label)
{
    ticket_keys_lock();
    const struct choice *choice = find_choice(first, label);
    if (choice != NULL) {
        memcpy(label->identity, choice->identity, sizeof(label->identity));
        label->verify_mode = choice->verify_mode;
    }
    ticket_keys_unlock();
    return choice != NULL;
}

struct other_server {
    const struct context *context;
    bool is_there;
};

/* The contexts lock is held. */
static void look_for_certificate(struct context *other, void *argument)
{
    struct other_server *other_server = argument;
    if (other != other_server->context && libssl.SSL_CTX_get0_certificate(other->ctx) != NULL)
        other_server->is_there = true;
}

/* Whether no other SSL_CTX of this process could be chosen: none has a certificate. */
static bool is_only_server(const struct context *context)
{
    struct other_server other_server = {.context = context};
    contexts_all(look_for_certificate, &other_server);
    return !other_server.is_there;
}

bool ticket_choices_predict(struct context *first, const SSL *ssl, struct ticket_label *label)
{
    struct context *present = context_attached(libssl.SSL_get_SSL_CTX(ssl));
    if (present == NULL)
        return false;
    if (may_switch(first, present) && recall_choice(first, label))
        return true;
    /* A client-hello callback has chosen already. */
    bool is_chosen = !may_switch(first, present) || present != first || is_only_server(present);
    return is_chosen && ticket_identity_of(ssl, label);
}

void ticket_choices_forget(struct context *context)
{
    struct ticket_names *names = context->tickets.names;
    if (names == NULL)
        return;
    for (int i = 0; i < NAMES; i++)
        libssl_free(names->choices[i]);
    libssl_free(names);
}
