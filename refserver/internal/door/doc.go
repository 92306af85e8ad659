// Package door is the only way into the network: one command at a time is stamped, journalled and applied.
//
// A command is on the disk before it is applied, and its answer is the outcome of applying it. A start is a replay: the
// same commands at the same instants give the same state, refusals included. Only a challenge or a report that the
// network refuses is not written, since anybody can send those. The journal's first record names the rules that it was
// written under; other rules would give another state, so a journal of other rules is not opened.
//
// The door also owns the one loop of the server: it lets time pass when an epoch or a lease ends, and it carries open
// payments to the chain. What the chain answers comes back as a command like any other.
package door
