/* A module whose thread-local storage must be of the static kind. */
__attribute__((tls_model("initial-exec"))) _Thread_local char room[256] = "x";

char *module_room(void);
char *module_room(void)
{
    return room;
}
