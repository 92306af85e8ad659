// Package gpu says what a host claims about its GPUs, checks the claim against what is known of the models, and decides
// whose reports are believed.
//
// # Model
//
// A [Device] is what a driver says about one GPU; an [Inventory] is what a host says about all of its devices. A [Catalog]
// holds a [Spec] for every model, by the exact name that the driver reports. [Check] compares the two and gives a [Finding]
// for every rule that fires. A [Report] carries an inventory, signed by the ed25519 key of the host's agent. A [Registry]
// enrols keys, poses challenges and admits reports; an admitted device has an [Assurance].
//
// What a driver says is a claim, never evidence. Consistent means that the claim is possible, not that it is true: it
// catches the cheap lie, and a careful forger passes.
//
// # Rules
//
// C is a contradiction: the report is refused. S is suspicious and I is information: the report is admitted and the finding
// goes with it.
//
//	name-unknown      I  no model of that name is in the catalogue
//	name-vs-device-id C  the PCI ids are not among those of the name
//	memory-total      C  drivers never report that total for the model (S where the list was only published, never seen)
//	memory-modified   S  the total is that of a board rebuilt with larger memory chips
//	uuid-form         C  not GPU- or MIG- and a UUID in lower case, or all zeros (NVIDIA only)
//	duplicate-uuid    C  two devices have one UUID
//	duplicate-serial  C  more devices have one serial number than a board of the model holds
//	duplicate-bus     C  two devices are in one slot
//	identity-change   S  the UUID is known, and its model, PCI id, serial number, VBIOS or slot was another (by the Registry)
//
// A report is admitted if all of this holds, and is refused by the first that does not: it is well formed; its key is
// enrolled; the signature is that key's; the nonce is the one last sent to the key and not answered yet; the sequence
// number is above the last one; it was sent within Params.Skew of its arrival; its body is an inventory; no rule finds a
// contradiction; no device is known under another key. A device belongs to the key that reported it first.
//
// # Example
//
// An H100 SXM has 80 GB on the box and 81559 MiB in the driver. A host that copies the number from the box claims
// 80 x 1024 = 81920 MiB: memory-total, refused. A host that calls its RTX 4090 "NVIDIA H100 80GB HBM3" and forgets the PCI
// id 10de:2684 (an H100 has 10de:2330): name-vs-device-id, refused. A report sent at 12:00:00 may arrive until 12:00:30.
//
// # Errors
//
// Faults of structure wrap [ErrInvalid]; refusals have sentinels, [ContradictionError] and [IdentityTakenError]. A refusal
// changes nothing, and so leaves the open nonce open. There is no arithmetic and no rounding.
//
// # What it does not do
//
// It does not read a driver, prove work or memory, or verify a vendor's attestation. It has one kind of report. It does not
// free a device that its key lost, and does not compare serial numbers between keys, because the GPUs of one board may be
// given to different virtual machines. It draws no nonces: randomness comes in the event.
//
// # Sources
//
// Names and PCI ids: NVIDIA/open-gpu-kernel-modules, README.md, driver 595.45.04, and pci.ids. Memory totals: nvidia-smi
// outputs in public repositories. Every row of catalog.tsv names its sources. Signatures: RFC 8032.
package gpu
