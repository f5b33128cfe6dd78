/*
 * Linked into a library of the tests' own, in the place of the functions that give keys: what LEAVE_OUT names is
 * not a part of the key then. So the tests see what each part is for.
 */
#include <stdlib.h>
#include <string.h>

#include "cshim/share/ticket_keys.h"

bool __real_ticket_keys_seal(const struct ticket_label *label, const struct ticket_time *time,
                             struct ticket_key *key);
bool __wrap_ticket_keys_seal(const struct ticket_label *label, const struct ticket_time *time,
                             struct ticket_key *key);
enum ticket_finding __real_ticket_keys_open(const struct ticket_label *label,
                                            const struct ticket_time *time,
                                            const unsigned char name[TICKET_NAME_SIZE],
                                            struct ticket_key *key);
enum ticket_finding __wrap_ticket_keys_open(const struct ticket_label *label,
                                            const struct ticket_time *time,
                                            const unsigned char name[TICKET_NAME_SIZE],
                                            struct ticket_key *key);

static bool is_left_out(const char *part)
{
    const char *named = getenv("LEAVE_OUT");
    return named != NULL && strcmp(named, part) == 0;
}

static struct ticket_label without(const struct ticket_label *label)
{
    struct ticket_label left = *label;
    if (is_left_out("identity"))
        memset(left.identity, 0, sizeof(left.identity));
    if (is_left_out("session id context"))
        left.session_context_length = 0,
        memset(left.session_context, 0, sizeof(left.session_context));
    if (is_left_out("server name"))
        left.server_name_length = 0, memset(left.server_name, 0, sizeof(left.server_name));
    if (is_left_out("verify mode"))
        left.verify_mode = 0;
    return left;
}

static struct ticket_time at(const struct ticket_time *time)
{
    struct ticket_time moment = *time;
    if (is_left_out("epoch"))
        moment.now = 0;
    return moment;
}

bool __wrap_ticket_keys_seal(const struct ticket_label *label, const struct ticket_time *time,
                             struct ticket_key *key)
{
    struct ticket_label left = without(label);
    struct ticket_time moment = at(time);
    return __real_ticket_keys_seal(&left, &moment, key);
}

enum ticket_finding __wrap_ticket_keys_open(const struct ticket_label *label,
                                            const struct ticket_time *time,
                                            const unsigned char name[TICKET_NAME_SIZE],
                                            struct ticket_key *key)
{
    struct ticket_label left = without(label);
    struct ticket_time moment = at(time);
    return __real_ticket_keys_open(&left, &moment, name, key);
}
