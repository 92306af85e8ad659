package tokenomics

import "fmt"

// nameOf returns the text of a value of an enumeration, or the error that it is none.
func nameOf(v fmt.Stringer, known bool, sentinel error) ([]byte, error) {
	if !known {
		return nil, fmt.Errorf("%w: unknown %s", sentinel, v)
	}
	return []byte(v.String()), nil
}

// named sets dst to the value from first to last that has the given name.
func named[T interface {
	~uint8
	fmt.Stringer
}](dst *T, first, last T, text []byte, sentinel error) error {
	for v := first; v <= last; v++ {
		if v.String() == string(text) {
			*dst = v
			return nil
		}
	}
	return fmt.Errorf("%w: unknown %T %s", sentinel, first, quote(string(text)))
}
