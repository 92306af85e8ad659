package gpu

import "time"

// HealthRule is a reason for which a Monitor holds a device for less than healthy. Later ones are worse.
type HealthRule uint8

// The rules. Each has one health, one action and one exit; memory-uncorrected and self-test have harder ones when they repeat.
const (
	RuleNone         HealthRule = iota
	RuleAppFault                // faults of several programs in a short time
	RuleDriver                  // an error that only the vendor or nobody can explain
	RuleCorrected               // memory is wearing: corrected errors, many replaced rows
	RuleReplays                 // many replays on PCIe
	RulePower                   // power is not as it should be
	RuleUnread                  // the agent cannot read the device
	RuleThermal                 // too hot, or the hardware slows itself down
	RulePCIeWidth               // fewer PCIe lanes than the slot and the board have
	RulePCIeGen                 // a slower PCIe generation than possible, under load
	RuleFabric                  // not a member of its NVSwitch fabric
	RuleDrainP2P                // the driver asks to quiesce traffic between devices
	RuleRowsPending             // a replacement of memory rows or pages waits for a reset
	RuleNVLink                  // an NVLink fault
	RuleReset                   // the driver, or a hang, asks for a reset
	RuleUncorrected             // an uncorrectable memory error
	RuleSelfTest                // the device computed a wrong result
	RuleRestartVM               // the virtual machine has to restart
	RuleStuck                   // a driver call about the device has not returned
	RuleRecoveryBoot            // the driver asks for a reboot
	RuleRowsFailed              // no spare rows or pages are left
	RuleAbsent                  // the device is gone, from the bus too
	RuleLost                    // the device is on the bus and does not answer, or fell off
	numRules
)

// String returns the rule's name.
func (r HealthRule) String() string {
	if r >= numRules {
		return word(int(r))
	}
	return r.info().name
}

// Health is what the rule makes of a device.
func (r HealthRule) Health() Health { return r.info().health }

// Action is what the rule asks for the first time.
func (r HealthRule) Action() Action { return r.info().action }

// Exit is what ends the rule the first time.
func (r HealthRule) Exit() Exit { return r.info().exit }

func (r HealthRule) phrase() string { return r.info().phrase }

// ruleInfo is one row of the table of rules.
type ruleInfo struct {
	name   string
	health Health
	action Action
	exit   Exit
	phrase string // what it means, for an operator
}

// info is the table of rules. Application faults end at Degraded: one program's bug must never retire a device, as it did in
// k8s-device-plugin (issues 189, 234, 1014), where one Xid took a GPU out until the plugin restarted.
func (r HealthRule) info() ruleInfo {
	switch r {
	case RuleNone:
		return ruleInfo{"none", Healthy, ActionNone, ExitNone, "nothing"}
	case RuleAppFault:
		return ruleInfo{"app-fault", Degraded, ActionRestartApp, ExitQuiet, "several programs failed on the GPU"}
	case RuleDriver:
		return ruleInfo{"driver", Degraded, ActionUpdateDriver, ExitQuiet, "the driver reports an error without a known remedy"}
	case RuleCorrected:
		return ruleInfo{"memory-corrected", Degraded, ActionWatch, ExitQuiet, "memory is wearing"}
	case RuleReplays:
		return ruleInfo{"pcie-replays", Degraded, ActionCheckCables, ExitQuiet, "PCIe repeats many packets"}
	case RulePower:
		return ruleInfo{"power", Degraded, ActionCheckPower, ExitQuiet, "power is not as it should be"}
	case RuleUnread:
		return ruleInfo{"unread", Degraded, ActionCheckAgent, ExitListed, "the agent cannot read the GPU"}
	case RuleThermal:
		return ruleInfo{"thermal", Degraded, ActionCheckCooling, ExitSteady, "the GPU is too hot or slows itself down"}
	case RulePCIeWidth:
		return ruleInfo{"pcie-width", Degraded, ActionCheckCables, ExitSteady, "PCIe runs with fewer lanes than it has"}
	case RulePCIeGen:
		return ruleInfo{"pcie-gen", Degraded, ActionCheckCables, ExitSteady, "PCIe runs slower under load than it can"}
	case RuleFabric:
		return ruleInfo{"fabric", Degraded, ActionRestartFabricManager, ExitSettled, "the GPU is not in its NVSwitch fabric"}
	case RuleDrainP2P:
		return ruleInfo{"drain-p2p", Degraded, ActionResetWhenIdle, ExitSettled, "the driver asks to stop traffic between GPUs"}
	case RuleRowsPending:
		return ruleInfo{"rows-pending", Degraded, ActionResetWhenIdle, ExitSettled, "memory rows or pages are replaced at the next reset"}
	case RuleNVLink:
		return ruleInfo{"nvlink", Degraded, ActionReset, ExitLinks, "an NVLink failed: check cables if a reset does not help"}
	case RuleReset:
		return ruleInfo{"reset", Unhealthy, ActionReset, ExitReset, "the GPU needs a reset"}
	case RuleUncorrected:
		return ruleInfo{"memory-uncorrected", Unhealthy, ActionReset, ExitReset, "uncorrectable memory error"}
	case RuleSelfTest:
		return ruleInfo{"self-test", Unhealthy, ActionRetest, ExitPasses, "the GPU computed a wrong result"}
	case RuleRestartVM:
		return ruleInfo{"restart-vm", Unhealthy, ActionRestartVM, ExitReboot, "the virtual machine has to restart"}
	case RuleStuck:
		return ruleInfo{"stuck", Unhealthy, ActionReboot, ExitReturned, "a driver call has not returned"}
	case RuleRecoveryBoot:
		return ruleInfo{"reboot", Unhealthy, ActionReboot, ExitReboot, "the driver asks for a reboot of the host"}
	case RuleRowsFailed:
		return ruleInfo{"rows-failed", Unhealthy, ActionReplace, ExitOperator, "memory has no spare rows or pages left"}
	case RuleAbsent:
		return ruleInfo{"absent", Lost, ActionCheckHost, ExitReturned, "GPU is gone from the host"}
	case RuleLost:
		return ruleInfo{"lost", Lost, ActionReboot, ExitReboot, "GPU fell off the bus"}
	case numRules:
	}
	return ruleInfo{name: "unknown"}
}

// wait is how long ExitQuiet, ExitSteady and ExitLinks take.
func (p *HealthParams) wait(r HealthRule) time.Duration {
	switch r {
	case RuleAppFault:
		return p.AppQuiet
	case RuleDriver, RulePower:
		return p.DriverQuiet
	case RuleCorrected:
		return p.CorrectedQuiet
	case RuleReplays:
		return p.ReplayQuiet
	case RuleThermal:
		return p.CoolFor
	case RulePCIeWidth, RulePCIeGen:
		return p.PCIeSteady
	case RuleNVLink:
		return p.NVLinkSteady
	default:
		return 0
	}
}

// condition is a rule that holds for a device.
type condition struct {
	rule     HealthRule
	detail   string
	since    time.Time // when it first fired
	last     time.Time // when it last did
	good     time.Time // ExitSteady, ExitLinks: since when readings are good; zero: they are not
	reset    bool      // a reset was seen since last
	rebooted bool      // a new boot id was seen since last
	back     bool      // the device was read since last
	operator bool      // it repeated so often that only an operator ends it
	passes   uint32    // self-tests passed in a row since last
}

// exit is what ends it.
func (c *condition) exit() Exit {
	if c.operator {
		return ExitOperator
	}
	return c.rule.Exit()
}

// action is what it asks for.
func (c *condition) action() Action {
	if c.operator {
		return ActionReplace
	}
	return c.rule.Action()
}

// passed reports whether a passed self-test ends it now. The device is listed, or the test would not have been heard.
func (c *condition) passed(p *HealthParams) bool {
	switch c.exit() {
	case ExitReset, ExitLinks:
		return c.reset || c.rebooted
	case ExitReboot:
		return c.rebooted
	case ExitReturned:
		return true
	case ExitPasses:
		return c.passes >= p.TestPasses
	default:
		return false
	}
}

// reason shows the condition.
func (c *condition) reason(p *HealthParams) Reason {
	r := Reason{
		Rule: c.rule, Detail: c.detail, Health: c.rule.Health(), Action: c.action(), Since: c.since, Last: c.last, Exit: c.exit(),
		Wait: p.wait(c.rule),
	}
	switch r.Exit {
	case ExitQuiet:
		r.Ends = c.last.Add(r.Wait)
	case ExitSteady, ExitLinks:
		if !c.good.IsZero() {
			r.Ends = c.good.Add(r.Wait)
		}
	default: // something has to happen
	}
	return r
}
