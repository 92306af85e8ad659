// Command rebuild makes distributor.so out of program/distributor.c, in the working directory. It needs clang-16.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/idlegrid/idlegrid/settlement/onchain/internal/sbpf"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	object, err := sbpf.Compile(ctx, sbpf.Clang, "program/distributor.c")
	if err != nil {
		return err
	}
	program, err := sbpf.Link(object, sbpf.Distributor())
	if err != nil {
		return err
	}
	if err := os.WriteFile("internal/sbpf/testdata/distributor.o", object, 0o644); err != nil { //nolint:gosec // it is public
		return err
	}
	return os.WriteFile("distributor.so", program, 0o644) //nolint:gosec // it is public
}
