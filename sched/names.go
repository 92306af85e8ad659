package sched

import "fmt"

// label returns the name with number i, counted from 1, and the number itself where there is none.
func label[T ~uint8](i T, names ...string) string {
	if i == 0 || int(i) > len(names) {
		return fmt.Sprintf("%d", uint8(i))
	}
	return names[i-1]
}

// number returns the number, counted from 1, of the name that text spells.
func number[T ~uint8](kind string, text []byte, names ...string) (T, error) {
	for i, n := range names {
		if n == string(text) {
			return T(i + 1), nil
		}
	}
	return 0, fmt.Errorf("%w: %s %q: want one of %q", ErrInvalid, kind, text, names)
}

// plural counts things in words for people to read.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
