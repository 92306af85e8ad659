package nvml_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/gpu/nvml"
)

// none is a library that no host has, so that the examples print the same everywhere.
const none = "/nonexistent/libnvidia-ml.so.1"

func ExampleOpen() {
	_, err := nvml.Open(nvml.Config{Binding: "carrier pigeon"})
	fmt.Println(errors.Is(err, gpu.ErrUnsupported))
	// Output: true
}

func ExampleBindings() {
	for _, b := range nvml.Bindings() {
		s, err := nvml.Open(nvml.Config{Binding: b})
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := s.Close(); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println("every binding of this program can be opened")
	// Output: every binding of this program can be opened
}

// A host without a driver is an error now, and may be none later.
func ExampleSource_Probe() {
	s, err := nvml.Open(nvml.Config{Library: none, Deadline: 2 * time.Second})
	if errors.Is(err, gpu.ErrUnsupported) {
		fmt.Println("no driver yet") // not on Linux
		return
	}
	defer s.Close()
	inv, err := s.Probe(context.Background())
	if errors.Is(err, gpu.ErrNoLibrary) || errors.Is(err, gpu.ErrNoDriver) {
		fmt.Println("no driver yet")
		return
	}
	for _, d := range inv.Devices {
		fmt.Println(d.Model, d.Reading.TempCelsius)
	}
	// Output: no driver yet
}

func ExampleSource_Watch() {
	s, err := nvml.Open(nvml.Config{Library: none})
	if err == nil {
		defer s.Close()
		err = s.Watch(context.Background(), func(n gpu.Notice) { fmt.Println(n.Kind, n.Xid, n.ID) })
	}
	fmt.Println(errors.Is(err, gpu.ErrNoLibrary) || errors.Is(err, gpu.ErrUnsupported))
	// Output: true
}

func ExampleSource_Close() {
	s, err := nvml.Open(nvml.Config{Library: none})
	if err == nil {
		fmt.Println(s.Close(), s.Close())
		_, err = s.Probe(context.Background())
		fmt.Println(errors.Is(err, gpu.ErrClosed))
	}
	// Output:
	// <nil> <nil>
	// true
}
