package store

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// finalRefusals are how the errors begin that a command will meet whenever it is sent. Every other error of a server
// may pass (LOADING, READONLY, MASTERDOWN, CLUSTERDOWN, TRYAGAIN, BUSY, MISCONF, too many clients), and so may what a
// proxy in front of it says in words of its own.
var finalRefusals = []string{
	"NOPERM ", "WRONGTYPE ", "ERR unknown command", "ERR wrong number of arguments", "ERR syntax error",
	"ERR DB index is out of range",
}

// isAnswer reports whether the server is there and said no.
func isAnswer(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer)
}

// isFinal reports whether it would say the same again.
func isFinal(err error) bool {
	var answer redis.Error
	if !errors.As(err, &answer) {
		return false
	}
	for _, beginning := range finalRefusals {
		if strings.HasPrefix(answer.Error(), beginning) {
			return true
		}
	}
	return false
}
