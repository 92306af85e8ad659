package device

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/idlegrid/idlegrid/gpu/challenge"
)

// arena holds the buffers of one piece of work, to free them together.
type arena struct {
	driver  Driver
	buffers []Buffer
}

func (a *arena) alloc(bytes uint64) (Buffer, error) {
	b, err := a.driver.Alloc(bytes)
	if err == nil {
		a.buffers = append(a.buffers, b)
	}
	return b, err
}

// upload allocates a buffer with these 32-bit words in it.
func (a *arena) upload(words []uint32) (Buffer, error) {
	b, err := a.alloc(4 * uint64(len(words)))
	if err != nil {
		return 0, err
	}
	raw := make([]byte, 0, 4*len(words))
	for _, w := range words {
		raw = binary.LittleEndian.AppendUint32(raw, w)
	}
	return b, a.driver.Copy(ToDevice, b, 0, raw)
}

// free gives all buffers back, the last first.
func (a *arena) free() error {
	var errs []error
	for i := len(a.buffers) - 1; i >= 0; i-- {
		errs = append(errs, a.driver.Free(a.buffers[i]))
	}
	a.buffers = nil
	return errors.Join(errs...)
}

// launch looks at the context and starts a kernel for n work-items.
func (a *arena) launch(ctx context.Context, kernel string, n uint64, args ...Arg) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: before %s: %w", a.driver.Info().API, kernel, err)
	}
	return a.driver.Launch(kernel, groups(n), args...)
}

// records copies records of `words` 32-bit words out of a buffer, those at the places given, and returns their words.
func (a *arena) records(ctx context.Context, from Buffer, words uint64, places []uint64) ([]uint32, error) {
	if len(places) == 0 {
		return nil, nil
	}
	n := uint64(len(places)) * words
	list := make([]uint32, 0, 2*len(places))
	for _, p := range places {
		list = append(list, uint32(p), uint32(p>>32))
	}
	which, err := a.upload(list)
	if err != nil {
		return nil, err
	}
	out, err := a.alloc(4 * n)
	if err != nil {
		return nil, err
	}
	if err := a.launch(ctx, "gather", n, from.arg(), u32(uint32(words)), which.arg(), u64(uint64(len(places))), out.arg()); err != nil {
		return nil, err
	}
	return a.words(out, 0, n)
}

// words reads n 32-bit words of a buffer, from word at on.
func (a *arena) words(from Buffer, at, n uint64) ([]uint32, error) {
	raw := make([]byte, 4*n)
	if err := a.driver.Copy(ToHost, from, 4*at, raw); err != nil {
		return nil, err
	}
	out := make([]uint32, n)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return out, nil
}

// hashes takes words, eight at a time, for hashes.
func hashes(words []uint32) []challenge.Hash {
	out := make([]challenge.Hash, len(words)/8)
	for i := range out {
		for k, w := range words[8*i : 8*i+8] {
			binary.BigEndian.PutUint32(out[i][4*k:], w)
		}
	}
	return out
}
