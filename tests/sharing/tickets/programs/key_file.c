/* What the library's parser makes of each of the key files that are named, compiled from its own source. */
#include "../../../../cshim/share/key_file.c"

static void show(const char *path)
{
    static char text[4 * 16384];
    struct key_file keys;
    char problem[128];
    FILE *file = fopen(path, "r");
    size_t length = file != NULL ? fread(text, 1, sizeof(text), file) : 0;
    if (!key_file_parse(text, length, &keys, problem, sizeof(problem)))
        puts(problem);
    else
        for (unsigned i = 0; i < keys.count; i++) {
            for (int j = 0; j < KEY_FILE_KEY_SIZE; j++)
                printf("%02x", keys.keys[i][j]);
            putchar('\n');
        }
    puts("--");
    if (file != NULL)
        fclose(file);
}

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++)
        show(paths[i]);
    return 0;
}
