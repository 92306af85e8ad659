package nvml

// handle is a device, or a part of one, as a binding knows it; nil is the system. Handles of one binding are comparable.
type handle any

// answer is up to four numbers, in the order in which the reader names them.
type answer [4]uint64

// raw is a binding: the library's functions, called one by one and without any judgement. The reader asks has before it
// calls; a binding may end the process if it is asked for a symbol that is absent. All but load are safe for concurrent use.
type raw interface {
	// backend names the binding in an inventory.
	backend() string
	// load opens the library and looks every symbol of the table up. It may be tried again after an error, and does nothing
	// after a success.
	load() error
	// has reports whether one of the call's symbols is there.
	has(c call) bool
	// simple calls a function without arguments.
	simple(c call) code
	// text asks for a string: all of the buffer up to the first NUL.
	text(c call, h handle) (string, code)
	// ask asks for numbers, with up to two selectors.
	ask(c call, h handle, a, b uint32) (answer, code)
	// pair asks for one number about two devices.
	pair(c call, h, other handle, a uint32) (uint64, code)
	// child turns an index into a handle: of a device (h is nil), or of a part of h.
	child(c call, h handle, index uint32) (handle, code)
	// pci asks for a PCI address: of the device, or of what is at the other end of a link.
	pci(c call, h handle, link uint32) (pciInfo, code)
	// processes lists programs.
	processes(c call, h handle) ([]process, code)
	// fabric asks for the NVSwitch fabric's state.
	fabric(c call, h handle) (fabricInfo, code)
	// newEvents, register, wait and free work with sets of events.
	newEvents() (eventSet, code)
	register(set eventSet, h handle, types uint64) code
	wait(set eventSet, milliseconds uint32) (event, code)
	free(set eventSet) code
}

// eventSet is a set of events as a binding knows it.
type eventSet any

// pciInfo is a PCI address and the two pairs of ids, each with the vendor in the low half.
type pciInfo struct {
	bus        string // empty before the third version of the function
	legacy     string // four digits of domain
	id, subsys uint32
}

// process is a program that uses a device.
type process struct {
	pid    uint32
	memory uint64 // math.MaxUint64: not available
}

// fabricInfo is a device's place in a fabric.
type fabricInfo struct {
	cluster [16]byte
	status  code
	clique  uint32
	state   uint8
}

// event is what a set of events delivers.
type event struct {
	device     handle
	kind, data uint64
}

// What selectors and enumerations of nvml.h mean.
const (
	clockSM, clockMemory              = 1, 2
	thresholdShutdown, thresholdSlow  = 0, 1
	fieldMemoryTemp, fieldPower       = 82, 186 // NVML_FI_DEV_MEMORY_TEMP, NVML_FI_DEV_POWER_INSTANT
	eccCorrected, eccUncorrected      = 0, 1
	eccVolatile, eccAggregate         = 0, 1
	linkReplay, linkRecovery, linkCRC = 0, 1, 2 // the last counts flits
	p2pNVLink                         = 2
	maxLinks                          = 36 // NVML_NVLINK_MAX_LINKS
	versionShift                      = 24 // a versioned struct begins with its size and, above it, its version
	maxList                           = 1 << 16
)
