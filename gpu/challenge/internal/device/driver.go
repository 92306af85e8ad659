package device

import "errors"

var (
	// ErrMemory says that the device has too little free memory for a buffer.
	ErrMemory = errors.New("out of device memory")
	// ErrNoDevice says that there is no device, or none of that index or id.
	ErrNoDevice = errors.New("no such device")
	// ErrLost says that the device does not answer any more: it fell off the bus, was reset, or a kernel brought it down.
	ErrLost = errors.New("device is lost")
	// ErrOrder says that there is nothing yet that the call could answer for.
	ErrOrder = errors.New("called out of order")
	// ErrKernel says that the kernel that was asked for cannot do the task on this device.
	ErrKernel = errors.New("kernel does not fit")
)

// Driver is one device of a driver library. It is used by one goroutine at a time. Launches run in order, after the copies
// before them; Read returns what they wrote.
type Driver interface {
	Memory
	Queue
	// Info returns what is fixed about the device.
	Info() Info
	// Close gives the device back. All buffers have been freed. It is called once.
	Close() error
}

// Memory is the device's.
type Memory interface {
	// Alloc returns a buffer of that many bytes; ErrMemory if there is no room.
	Alloc(bytes uint64) (Buffer, error)
	// Free gives a buffer back, after the launches that use it.
	Free(Buffer) error
	// Copy moves bytes, at least one, between the host and a buffer, from byte offset at on, and returns when they are there.
	Copy(d Direction, b Buffer, at uint64, host []byte) error
}

// Queue runs kernels.
type Queue interface {
	// Launch starts that many groups of 256 work-items of a kernel. It need not wait.
	Launch(kernel string, groups uint32, args ...Arg) error
	// Wait returns when all launches are done, with the error of the first that went wrong.
	Wait() error
}

// Direction says which way bytes are copied.
type Direction bool

// The directions.
const (
	ToHost   Direction = false
	ToDevice Direction = true
)

// Buffer names memory of a device: a CUDA address or an OpenCL object. 0 is none.
type Buffer uint64

// Arg is an argument of a kernel: its value in the low bytes, and how many bytes the kernel takes.
type Arg struct {
	Value uint64
	Size  uint8 // 4 or 8
}

// Info is what is fixed about a device.
type Info struct {
	API       string // "cuda" or "opencl": how errors begin
	Name      string // as the driver says
	Tensor    bool   // the kernels on tensor cores can be launched
	HalfFirst bool   // binary16 is faster than bytes here: B300, GB300
}

func u32(v uint32) Arg        { return Arg{Value: uint64(v), Size: 4} }
func u64(v uint64) Arg        { return Arg{Value: v, Size: 8} }
func (b Buffer) arg() Arg     { return Arg{Value: uint64(b), Size: 8} }
func ceil(a, b uint64) uint32 { return uint32((a + b - 1) / b) }

// groups is the number of groups that holds n work-items.
func groups(n uint64) uint32 { return ceil(n, 256) }
