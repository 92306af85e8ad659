package svmtest

import (
	"context"
	"time"
)

// startWait bounds the start of a node for a test, a first installation included.
const startWait = 5 * time.Minute

// TB is the part of testing.TB that ForTest uses, so that programs which are no tests can link this package without
// package testing.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// ForTest starts a node that ends with the test. If it cannot, the test fails and says what to install: a test on the real
// runtime is never skipped.
func ForTest(t TB, c Config) *Node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	n, err := Start(ctx, c)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}
