// Package agent plays the part of a machine's agent: it holds a key, knows its hardware and signs its inventory.
//
// The hardware is made up, as a simulation needs it, but what is reported about it is what a driver would say of such
// hardware: names, PCI ids and memory totals come from the catalogue of package gpu.
package agent
