package gpu

import (
	_ "embed" // for xid.tsv
	"fmt"
	"iter"
	"sort"
	"strconv"
	"strings"
)

//go:embed xid.tsv
var xidTSV string

// Fault is the class of a fault's cause.
type Fault uint8

// The classes.
const (
	FaultNone    Fault = iota // no fault: a message, or a number that no current driver logs
	FaultApp                  // the program that ran
	FaultDriver               // the driver or the GPU's own firmware
	FaultMemory               // device memory and caches
	FaultLink                 // NVLink
	FaultThermal              // heat
	FaultPower                // power
	FaultBus                  // PCIe
	FaultHost                 // the host: hypervisor, CPU, confidential computing
)

// String returns the class in words.
func (f Fault) String() string {
	return word(int(f), "none", "app", "driver", "memory", "link", "thermal", "power", "bus", "host")
}

// Xid is an error number of NVIDIA's driver: what its maker says about it, and what a Monitor makes of it.
type Xid struct {
	Code          uint32
	Mnemonic      string     // NVIDIA's name: "ROBUST_CHANNEL_GPU_HAS_FALLEN_OFF_THE_BUS"
	Description   string     // in our words; empty for most numbers that are not in use
	Used          bool       // whether current drivers log it
	Fault         Fault      // the class of the cause
	Immediate     string     // NVIDIA's immediate action: "RESTART_APP"; empty: none is given
	Investigatory string     // what NVIDIA says to look into; empty: nothing is given
	Rule          HealthRule // what it falls under, or the worst that it may if Varies
	Varies        bool       // whether the notice decides: NVLink5 errors (144 to 150) and the driver's recovery action (154)
	Basis         string     // why that rule: a letter explained at the head of xid.tsv
}

// Xids knows the numbers of NVIDIA's catalogue. It is immutable and safe for concurrent use.
type Xids struct {
	byCode []Xid // ascending
}

// NewXids parses the table that is part of the package.
func NewXids() (*Xids, error) { return parseXids(xidTSV) }

// Lookup finds a number; false if the catalogue does not have it.
func (x *Xids) Lookup(code uint32) (Xid, bool) {
	i := sort.Search(len(x.byCode), func(i int) bool { return x.byCode[i].Code >= code })
	if i == len(x.byCode) || x.byCode[i].Code != code {
		return Xid{}, false
	}
	return x.byCode[i], true
}

// All iterates over the numbers, ascending.
func (x *Xids) All() iter.Seq[Xid] {
	return func(yield func(Xid) bool) {
		for _, e := range x.byCode {
			if !yield(e) {
				return
			}
		}
	}
}

// Rule is what a notice of kind NoticeXid falls under. A number that the catalogue does not have, which newer drivers may log, is
// RuleDriver. So is an NVLink5 error of which the notice does not say whether it is fatal.
func (x *Xids) Rule(n Notice) HealthRule {
	e, ok := x.Lookup(n.Xid)
	switch {
	case !ok:
		return RuleDriver
	case !e.Varies:
		return e.Rule
	case e.Rule == RuleNVLink && !n.Fatal.OK:
		return RuleDriver
	case e.Rule == RuleNVLink && !n.Fatal.V:
		return RuleNone
	case e.Rule == RuleNVLink:
		return RuleNVLink
	}
	return recovery(n)
}

// recovery is the rule for the recovery that the driver asks for (Xid 154). The number counts and not the words, which changed between
// driver branches: 1 was "GPU Reset Required" and is "PF FLR", 2 was "Node Reboot Required" and is "OS Reboot". The numbers are
// nvmlDeviceGpuRecoveryAction_t of nvml.h. NVML's own event does not carry it: then another Xid says what happened.
func recovery(n Notice) HealthRule {
	if !n.SubCode.OK {
		return RuleNone
	}
	switch n.SubCode.V {
	case 0: // none
		return RuleNone
	case 1, 4, 6: // reset; drain and reset; reset of the bus
		return RuleReset
	case 2, 7: // node reboot; system reboot
		return RuleRecoveryBoot
	case 3, 5: // drain P2P; recover the IMEX domain
		return RuleDrainP2P
	}
	return RuleDriver
}

// xidColumns of xid.tsv, in order.
const xidColumns = "code\tmnemonic\tused\tfault\timmediate\tinvestigatory\trule\tbasis\tdescription"

func parseXids(text string) (*Xids, error) {
	x := &Xids{}
	headed := false
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case !headed:
			if line != xidColumns {
				return nil, fmt.Errorf("gpu: xid table line %d: columns %q, want %q", n+1, line, xidColumns)
			}
			headed = true
			continue
		}
		e, err := parseXid(strings.Split(line, "\t"))
		if err != nil {
			return nil, fmt.Errorf("gpu: xid table line %d: %w", n+1, err)
		}
		if last := len(x.byCode) - 1; last >= 0 && x.byCode[last].Code >= e.Code {
			return nil, fmt.Errorf("gpu: xid table line %d: %d after %d", n+1, e.Code, x.byCode[last].Code)
		}
		x.byCode = append(x.byCode, e)
	}
	return x, nil
}

func parseXid(f []string) (Xid, error) {
	if want := strings.Count(xidColumns, "\t") + 1; len(f) != want {
		return Xid{}, fmt.Errorf("%d columns, want %d", len(f), want)
	}
	code, err := strconv.ParseUint(f[0], 10, 32)
	if err != nil {
		return Xid{}, err
	}
	e := Xid{Code: uint32(code), Mnemonic: f[1], Used: f[2] == "yes", Immediate: f[4], Investigatory: f[5], Basis: f[7], Description: f[8]}
	if !e.Used && f[2] != "no" {
		return Xid{}, fmt.Errorf("used %q is neither yes nor no", f[2])
	}
	if e.Mnemonic == "" || e.Basis == "" {
		return Xid{}, fmt.Errorf("%d: mnemonic and basis are needed", e.Code)
	}
	fault, ok := nameIndex(f[3], int(FaultHost), func(i int) string { return Fault(i).String() })
	if !ok {
		return Xid{}, fmt.Errorf("fault %q", f[3])
	}
	name, varies := strings.CutSuffix(f[6], "?")
	rule, ok := nameIndex(name, int(numRules)-1, func(i int) string { return HealthRule(i).String() })
	if !ok {
		return Xid{}, fmt.Errorf("rule %q", f[6])
	}
	e.Fault, e.Rule, e.Varies = Fault(fault), HealthRule(rule), varies
	return e, nil
}

// nameIndex finds a name among those of 0 to last.
func nameIndex(name string, last int, names func(i int) string) (int, bool) {
	for i := range last + 1 {
		if names(i) == name {
			return i, true
		}
	}
	return 0, false
}
