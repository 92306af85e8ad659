// Command probe shows what a supplier's agent sees of the machine's GPUs: every device with its findings, its health and
// what joins it to the others, the tier that the hardware could reach, and the report that would be sent.
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/internal/host"
	"github.com/idlegrid/idlegrid/tokenomics"
)

func main() {
	fake := flag.String("fake", "", "show a made-up host instead: h100x8, 4090x2, mi300xx8, mig-a100, ...")
	form := flag.String("form", "text", "text, json (the inventory), metrics (Prometheus) or labels (Kubernetes)")
	flag.Parse()
	var out bytes.Buffer
	err := run(context.Background(), &out, *fake, *form, time.Now)
	if _, unwritten := out.WriteTo(os.Stdout); errors.Join(err, unwritten) != nil {
		fmt.Fprintln(os.Stderr, "probe:", errors.Join(err, unwritten))
		os.Exit(1)
	}
}

func run(ctx context.Context, out *bytes.Buffer, fake, form string, now func() time.Time) error {
	if !slices.Contains([]string{"text", "json", "metrics", "labels"}, form) {
		return fmt.Errorf("-form %q: want text, json, metrics or labels", form)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	h, err := host.Open(ctx, fake, now)
	if err != nil {
		return err
	}
	defer h.Close() //nolint:errcheck // nothing is lost with it
	inv, err := h.Probe(ctx)
	if err == nil && len(inv.Devices) == 0 {
		err = errors.New("the kernel's files show no GPU that can be read")
	}
	if err != nil {
		fmt.Fprintf(out, "No GPU here. NVIDIA's driver: %s. Otherwise: %v.\n", h.Why, err)
		for _, m := range inv.Missing {
			fmt.Fprintf(out, "  slot %s: %s\n", m.BusID, m.Why)
		}
		fmt.Fprintln(out, "A host that is made up: go run ./examples/probe -fake h100x8")
		return nil
	}
	switch form {
	case "json":
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(inv)
	case "metrics":
		return gpu.WriteMetrics(out, inv, gpu.MetricsConfig{Hostname: inv.Host})
	case "labels":
		for _, l := range gpu.Labels(inv, gpu.LabelsConfig{}) {
			fmt.Fprintf(out, "%s=%s\n", l.Key, l.Value)
		}
		return nil
	}
	return show(out, inv, now())
}

func show(out *bytes.Buffer, inv gpu.Inventory, at time.Time) error {
	c, err := gpu.NewCatalog()
	if err != nil {
		return err
	}
	m, err := gpu.NewMonitor(gpu.DefaultHealth())
	if err != nil {
		return err
	}
	if _, err := m.Apply(at, gpu.Probed{Inventory: inv}); err != nil {
		return err
	}
	table, err := tokenomics.NewMultiplierTable(tokenomics.IONet().Multipliers)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Host %s, read by %s: %s, driver %s, CUDA %v, hypervisor %v\n", inv.Host, inv.Backend, inv.Platform, inv.Driver, inv.CUDADriver, inv.Hypervisor)
	for i, d := range inv.Devices {
		r := d.Reading
		fmt.Fprintf(out, "%2d  %s, %d MiB, slot %s, %s\n", i, d.Model, d.MemoryMiB, d.BusID, d.ID)
		if r != nil {
			fmt.Fprintf(out, "    %v C, %v of %v mW, SM clock %v MHz, load %v %%, PCIe %v x%v, ECC %v\n", r.TempCelsius, r.PowerMilliwatts,
				r.PowerLimitMilliwatts, r.SMClockMHz, r.GPUUtilPercent, r.PCIeGen, r.PCIeWidth, r.ECCEnabled)
		}
		diagnosis, _ := m.Diagnosis(d.ID)
		stake, _ := table.Stake(d.Model, at)
		_, pool, earns := table.Earning(d.Model, at)
		fmt.Fprintf(out, "    %v; needs a stake of %d IO; block rewards: %v, pool %v\n", diagnosis.Health, uint64(stake)*2, earns, pool)
	}
	fmt.Fprintf(out, "Islands of NVLink: %v\n", gpu.Islands(inv))
	findings := gpu.Check(inv, c)
	for _, f := range findings {
		fmt.Fprintln(out, "  "+f.String())
	}
	fmt.Fprintf(out, "%d findings; the claim is %v\n", len(findings), gpu.Assess(findings))
	body, err := json.Marshal(inv)
	if err != nil {
		return err
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32)) // a real agent's is drawn once and kept
	signed, err := gpu.Report{Kind: gpu.InventoryReport, Key: [32]byte(key[32:]), Seq: 1, Sent: at, Body: body}.Sign(key)
	fmt.Fprintf(out, "The report that says so, signed: %d bytes, hardware %x\n", len(signed), inv.Digest())
	return err
}
