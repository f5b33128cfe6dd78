//go:build race

package cache

func element[T any](of []T, i int) *T {
	return &of[i]
}
