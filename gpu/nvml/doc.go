// Package nvml reads NVIDIA's driver into a [gpu.Inventory], whatever state the driver is in, without ending the process and
// without waiting longer than it was told.
//
// # Model
//
// A [Source] reads one management library (libnvidia-ml.so.1) through a binding: [GoNVML] or [Purego]. Both are a thin raw
// layer; everything above the single call is shared, so both give the same inventory to the byte, the name in Backend aside.
//
// The gate is a table from each question to the symbols that answer it, newest first. All symbols are looked up when the
// library is loaded; a question without one is not asked, and its value is missing by "symbol absent".
//
// A slot is where calls are made: one for each device and one for the host. It lets one goroutine in at a time.
//
// # Rules
//
// A call that has not returned by the deadline leaves its slot stuck: nobody is let in until it returns, because the wait is
// inside the driver and a second call would wait beside the first. The probe returns with what it has. Other devices have
// slots of their own and are not held up by it; if the driver holds them up, they are stuck too, each by itself.
//
// Whatever is stuck keeps one goroutine and one thread until it returns: nothing else outlives a Source. Close does not wait
// for it, and leaves the driver initialised below it.
//
// All sources of one library in a process share its initialisation. The driver is shut down when the last one is closed, and
// never while a probe is inside. A driver that goes away gives gpu.ErrNoDriver; the next probe shuts down and initialises
// anew, once nothing is inside. The library itself stays loaded: after a driver upgrade that replaces it, the process has to
// start again, and until then hears that the versions differ.
//
// Devices are known by UUID. One that was seen before and is not listed any more is in Missing, as lost, until the source is
// closed; so is one that answers "GPU is lost" (code 15), at once and with all of its values.
//
// # Example
//
// A host of two H100s, of which the second hangs in nvmlDeviceGetTemperature. Probe with a deadline of 2 s returns after 2 s:
// the first device whole, the second with its identity and every other value missing by "timeout". The next probe returns
// within milliseconds: one device, and Missing names the second by UUID and slot, "timeout". When the call returns, the next
// probe has both.
//
// # Rounding and errors
//
// MemoryMiB is the total rounded down. The SMs of a device are its FP32 lanes divided by those of one SM of its compute
// capability, because the library has no question for them; where that leaves a remainder they are missing. PowerMilliwatts
// is nvmlDeviceGetPowerUsage (an average over a second on most parts since Ampere), and the instant's value only where that
// is not supported. Errors wrap the sentinels of package gpu; codes of the library become the reasons of missing values.
//
// # What it does not do
//
// It does not judge what it reads, and does not believe it. It changes no setting of a device. It does not read Windows
// drivers. go-nvml binds one library for the life of a process, a second path is refused; and it asks for lists of processes
// and retired pages in ever larger buffers as long as a library says that they are too small, so a library that always says
// so takes all memory (Purego gives up at 65536 entries). A malicious library is code in this process: nothing here holds it.
//
// # Sources
//
// nvml.h of github.com/NVIDIA/go-nvml v0.13.4-0; go-nvml issue 82 and go-nvlib pull request 87 for
// processes that ended on absent symbols; NVSentinel issue 1748 for calls that hang.
package nvml
