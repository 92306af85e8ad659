package scene

import (
	"fmt"
	"os"

	"github.com/idlegrid/idlegrid/internal/trace"
)

// World returns the world of a seed: from the files of the openb trace in a folder (its node list, and pods/ with the
// default list), or without a folder from the committed generator.
func World(openb string, seed uint64) (trace.World, error) {
	if openb == "" {
		return trace.Generate(seed, trace.Default())
	}
	hosts, pods, err := trace.ReadOpenb(os.DirFS(openb), "pods/openb_pod_list_default.csv.gz")
	if err != nil {
		return trace.World{}, fmt.Errorf("openb trace in %q: %w", openb, err)
	}
	return trace.Assemble(seed, trace.Default(), hosts, pods)
}
