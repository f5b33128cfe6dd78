// Package settings is the list of the SSLCACHE_… variables and their one parser, which is the library's
// own: settings.c and settings.h here are links to the files in cshim.
package settings

/*
#include <stdlib.h>
#include <string.h>

#include "settings.h"

static char **environment;

static const char *look_up(const char *variable)
{
    size_t length = strlen(variable);
    for (char **line = environment; *line != NULL; line++)
        if (strncmp(*line, variable, length) == 0 && (*line)[length] == '=')
            return *line + length + 1;
    return NULL;
}

static bool check(char **lines, struct settings *settings, char *problem, size_t size)
{
    environment = lines;
    for (char **line = lines; *line != NULL; line++)
        if (!settings_know(*line, problem, size))
            return false;
    return settings_read(settings, look_up, problem, size);
}

static const struct setting *setting_at(size_t index)
{
    return &settings_list[index];
}
*/
import "C"

import (
	"errors"
	"strings"
	"sync"
	"unsafe"
)

// Setting is one variable of the environment, which is a flag of the command too.
type Setting struct {
	Variable string
	Flag     string // SSLCACHE_RUN_FOLDER is --run-folder
	Value    string // what it takes, as help shows it
	Help     string
}

const prefix = "SSLCACHE_"

// List returns all settings in the order of the library's list.
func List() []Setting {
	list := make([]Setting, C.settings_count)
	for i := range list {
		setting := C.setting_at(C.size_t(i))
		variable := C.GoString(setting.variable)
		list[i] = Setting{
			Variable: variable,
			Flag:     strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(variable, prefix)), "_", "-"),
			Value:    C.GoString(setting.value),
			Help:     C.GoString(setting.help),
		}
	}
	return list
}

// Settings are those that this command reads itself.
type Settings struct {
	RunFolder string // "": the default
}

// parsing guards what the parser's look-up reads.
var parsing sync.Mutex

// Read reads the settings that are in an environment, lines of NAME=VALUE. The error says in one line
// which of them the library would not take.
func Read(environment []string) (Settings, error) {
	parsing.Lock()
	defer parsing.Unlock()
	lines := linesOf(environment)
	defer free(lines)
	parsed := (*C.struct_settings)(C.calloc(1, C.sizeof_struct_settings))
	defer C.free(unsafe.Pointer(parsed))
	problem := (*C.char)(C.calloc(1, C.SETTINGS_PROBLEM_SIZE))
	defer C.free(unsafe.Pointer(problem))
	if !C.check(&lines[0], parsed, problem, C.SETTINGS_PROBLEM_SIZE) {
		return Settings{}, errors.New(C.GoString(problem))
	}
	return Settings{RunFolder: C.GoString(&parsed.run_folder[0])}, nil
}

// linesOf returns C's copy of those lines that are about us, with a NULL at the end.
func linesOf(environment []string) []*C.char {
	var lines []*C.char
	for _, line := range environment {
		if strings.HasPrefix(line, prefix) {
			lines = append(lines, C.CString(line))
		}
	}
	return append(lines, nil)
}

func free(lines []*C.char) {
	for _, line := range lines {
		C.free(unsafe.Pointer(line))
	}
}
