// Package gpu says what a host claims about its GPUs, checks the claim against what is known of the models and against other
// witnesses, follows the devices' health, and decides whose reports are believed and how far.
//
// # Model
//
// A [Source] reads a host and gives an [Inventory]: a [Device] for every GPU, with its [Reading], and what is [Missing]. Every
// value that a driver may not give is an [Opt], which says why it is not there. A [Catalog] holds a [Spec] for every model.
// [Check] compares an inventory with the catalogue, with itself and with its views (the kernel's PCI tree, the driver's own
// files, CUDA), and gives a [Finding] for every rule that fires; [CheckSequence] and [CheckHistory] compare probes over time.
//
// A [Notice] is what a driver or the kernel's log says without being asked: [ParseKernelLine] and [KernelLog] read the log,
// [Xids] is NVIDIA's table of error numbers. A [Monitor] folds probes, notices and self-tests into a [Diagnosis] of every
// device: its [Health], what to do, and the [Exit] that ends it. A device gets worse at once and better only by that exit; an
// application's fault ends at Degraded and never retires a GPU.
//
// A [Report] carries an inventory or a [Heartbeat], signed by the ed25519 key of the host's agent. A [Registry] enrols keys
// (by an [Enrolment] that the supplier's wallet signed), lets them be replaced ([Rotation]) and revoked, poses nonces and
// admits reports. An admitted device has an [Assurance].
//
// What a driver says is a claim, never evidence. Consistent means that the claim is possible, not that it is true: it
// catches the cheap lie, and a careful forger passes. Proven is for package challenge, Attested for package attest.
//
// [Islands], [LinkMatrix] and [Nearest] read how devices are joined; a [MIGTable] says which instances a model holds at once;
// [ConnectivityParams] make a tier of measurements of the line. [WriteMetrics] and [Labels] speak the names of NVIDIA's
// dcgm-exporter and gpu-feature-discovery.
//
// # Rules of checking
//
// C is a contradiction: the report is refused. S is suspicious and I is information: the report is admitted and the finding
// goes with it. A finding is about a device, or about the host.
//
//	name-unknown        I  no model of that name is in the catalogue
//	id-of-other-model   S  the name is unknown, and the PCI id belongs to models of other names
//	name-vs-device-id   C  the PCI ids are not among those of the name
//	memory-total        C  drivers never report that total for the model
//	memory-published    S  the total is not listed, and the model's list was published in part, not seen
//	memory-modified     S  the total is that of a board rebuilt with larger memory chips
//	memory-ecc          I  the total is 15/16 or 16/15 of a listed one, as GDDR boards report when ECC is turned on or off
//	memory-reserved     I  up to 5 % below a listed total, as drivers before branch 510 report, or newer than the table may
//	memory-round        S  whole GiB from an unknown model whose generation never reports whole GiB
//	memory-sum          S  used, free and reserved differ from the total by over 2 MiB, or the two totals differ
//	compute-capability  C  driver or CUDA name another compute capability than the model has
//	sm-count            C  multiprocessors or cores are not the model's (fewer are right under MIG)
//	bus-width           C  the memory bus is not as wide as the model's
//	clock-max           S  the highest clock is over 15 % above what drivers report for such boards
//	power-max           S  the power limit is over 15 % above the model's (50 % for desktop boards)
//	pcie-max            C  PCIe generation or width are beyond the model, or the link is faster than its own maximum on bare metal
//	nvlink-on-pcie-card C  NVLinks on a model that has none
//	link-count          C  more NVLinks than the model has
//	mig-inconsistent    C  instances exceed their profile, the memory, the multiprocessors or the mode
//	uuid-form           C  not GPU- or MIG- and a UUID in lower case, or all zeros (NVIDIA only)
//	duplicate-uuid      C  two devices have one UUID
//	duplicate-serial    C  more devices have one serial number than a board of the model holds
//	duplicate-bus       C  two devices are in one slot
//	duplicate-identity  C  the UUID is known under another key (by the Registry: IdentityTakenError)
//	identity-change     S  the UUID is known, and its model, PCI id, serial number, VBIOS or slot was another
//	driver-platform     C  the driver version exists on another operating system only
//	driver-branch       C  the driver is older than the model, or the management library is of another version
//	cuda-driver         S  the CUDA version is above what the driver branch brings
//	library-digest      S  the management library's bytes are not those known of its version (by CheckLibrary)
//	sysfs-missing       C  the PCI tree has no such device in that slot
//	sysfs-extra         S  the PCI tree has a GPU that the inventory does not mention: lost, or hidden
//	proc-mismatch       C  /proc/driver/nvidia does not have the device, or has another name, UUID or VBIOS
//	cuda-uuid           C  the CUDA driver has a UUID that the inventory does not have
//	cuda-name           C  the CUDA driver has another name for the UUID
//	cuda-memory         C  the CUDA driver has more memory than the total, or over 10 % and 512 MiB less
//	counter-backwards   S  time, energy, replays, remapped rows or aggregate ECC counts fell without a restart (by CheckSequence)
//	energy-vs-power     S  energy over time does not fit the power readings (by CheckSequence)
//	static-telemetry    S  utilisation, power and temperature stood still over 10 probes under load (by CheckHistory)
//	virtualised         I  a hypervisor, a vGPU or passthrough
//	rate-impossible     C  a challenge was answered faster than 1.05 times the model's peak (by the challenge)
//
// # Rules of admission
//
// A report is admitted if all of this holds, and is refused by the first that does not: it is well formed; its key is
// enrolled, was neither replaced nor revoked, and has not expired; the signature is that key's; the nonce is the one last sent
// to the key and not answered yet; the sequence number is above the last one; it was sent within Params.Skew of its arrival;
// its body is an inventory or a heartbeat. An inventory must have no contradiction, only devices that the key may report, and
// none that is known under another key. A heartbeat must be of the boot and the hardware of the last inventory.
//
// A device belongs to the key that reported it first. If that key is revoked, another key of the same supplier may report it,
// and nobody else's.
//
//	Claimed     a signed report says so
//	Consistent  besides: a known model, no contradiction, present, admitted within Params.ConsistentFor
//	Proven      besides: passed a challenge within Params.ProvenFor and failed none since
//	Attested    besides: its chip was attested within Params.AttestedFor, and is on no other device
//
// Levels lapse by themselves. Another model, serial number, VBIOS or memory under a known UUID is another card: what was
// proved is forgotten. Another driver asks for another attestation.
//
// # Example
//
// An H100 SXM has 80 GB on the box and 81559 MiB in the driver. A host that copies the number from the box claims
// 80 x 1024 = 81920 MiB: memory-total, refused. A host that calls its RTX 4090 "NVIDIA H100 80GB HBM3" and forgets the PCI
// id 10de:2684 (an H100 has 10de:2330): name-vs-device-id, refused. A report sent at 12:00:00 may arrive until 12:00:30. A
// device proved at 13:00 is Proven until 13:00 of the next day, if its host reports within the day.
//
// # Errors
//
// Faults of structure wrap [ErrInvalid]; refusals have sentinels, [ContradictionError] and [IdentityTakenError]. A refusal
// changes nothing, and so leaves the open nonce open. Percentages of the rules round against the finding; the tier of a line
// counts the lower quartile of its rates, in whole kilobits.
//
// # What it does not do
//
// It reads no driver (package nvml does), poses no challenge (package challenge) and verifies no vendor's evidence (package
// attest). It judges hosts and not their suppliers. It does not compare serial numbers between keys, because the GPUs of one
// board may be given to different virtual machines. It draws no nonces: randomness comes in the event. A Monitor resets and
// drains nothing, and knows no leases.
//
// # Sources
//
// Names and PCI ids: NVIDIA/open-gpu-kernel-modules, README.md, driver 595.45.04, and pci.ids. Memory totals: nvidia-smi
// outputs in public repositories. Every row of catalog.tsv names its sources. Signatures: RFC 8032. Xids: NVIDIA's Xid
// catalogue (2025-10-29) and its GPU memory error management guide; log forms: open-gpu-kernel-modules (kernel_rc.c, nv.c) and
// Linux (amdgpu, i915, xe, dev-kmsg). Metrics: NVIDIA/dcgm-exporter etc/default-counters.csv. Labels: NVIDIA/k8s-device-plugin
// internal/lm. MIG: NVIDIA Multi-Instance GPU User Guide v580. Connectivity: io.net's documentation of clusters.
package gpu
