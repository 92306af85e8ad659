//go:build linux

package nvml

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"

	"github.com/idlegrid/idlegrid/gpu"
)

// The layouts of nvml.h that are passed by pointer. A test compares them with go-nvml's.
type (
	pciLayout struct {
		legacy                             [16]byte
		domain, bus, device, id, subsystem uint32
		busID                              [32]byte
	}
	memoryLayout  struct{ total, free, used uint64 } // also of BAR1
	memory2Layout struct {
		version                     uint32
		_                           uint32
		total, reserved, free, used uint64
	}
	utilizationLayout  struct{ gpu, memory uint32 }
	confidentialLayout struct{ environment, feature, devTools uint32 }
	attributesLayout   struct {
		sms                             uint32
		copies, decoders, encoders      uint32
		jpeg, ofa, gpuSlices, computing uint32
		memoryMiB                       uint64
	}
	process1Layout struct {
		pid, _ uint32
		memory uint64
	}
	processLayout struct {
		pid, _                         uint32
		memory                         uint64
		gpuInstance, computeInstanceID uint32
	}
	fieldLayout struct {
		id, scope          uint32
		timestamp, latency int64
		kind               uint32
		code               int32
		value              [8]byte
	}
	fabricLayout struct {
		cluster [16]byte
		status  int32
		clique  uint32
		state   uint8
		_       [3]byte
	}
	fabric2Layout struct {
		version uint32
		cluster [16]byte
		status  int32
		clique  uint32
		state   uint8
		_       [3]byte
		health  uint32
	}
	eventLayout struct {
		device                       uintptr
		kind, data                   uint64
		gpuInstance, computeInstance uint32
	}
)

// pureNVML calls the library by its symbols' addresses, without cgo.
type pureNVML struct {
	path  string
	calls [calls]spec
	fn    [calls]uintptr // 0: absent
	older [calls]int     // which of the row's symbols it is; 0 is the newest
	ready bool
}

func newPurego(path string) raw { return &pureNVML{path: path, calls: table()} }

func (p *pureNVML) backend() string { return "purego-nvml" }

func (p *pureNVML) load() error {
	if p.ready {
		return nil
	}
	lib, err := purego.Dlopen(p.path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return fmt.Errorf("%w: %w", gpu.ErrNoLibrary, err)
	}
	for c, s := range p.calls {
		for i, symbol := range s.symbols {
			if fn, err := purego.Dlsym(lib, symbol); err == nil && fn != 0 {
				p.fn[c], p.older[c] = fn, i
				break
			}
		}
	}
	if p.fn[callInit] == 0 {
		return fmt.Errorf("%w: %q has no %s", gpu.ErrNoLibrary, p.path, p.calls[callInit].symbols[0])
	}
	p.ready = true
	return nil
}

func (p *pureNVML) has(c call) bool { return p.fn[c] != 0 }

// invoke calls a function. What its arguments point to is on the heap and stays there meanwhile.
//
//go:uintptrescapes
func invoke(fn uintptr, args ...uintptr) code {
	r, _, _ := purego.SyscallN(fn, args...)
	return code(int32(r))
}

// address is the C pointer in a handle; 0 stands for the system.
func address(h handle) uintptr {
	a, _ := h.(uintptr)
	return a
}

func (p *pureNVML) simple(c call) code { return invoke(p.fn[c]) }

func (p *pureNVML) text(c call, h handle) (string, code) {
	const room = 96 // the largest of the buffers in nvml.h; go-nvml passes the length that each function documents
	n := textRoom(c)
	var b [room]byte
	var rc code
	if h == nil {
		rc = invoke(p.fn[c], uintptr(unsafe.Pointer(&b)), uintptr(n))
	} else {
		rc = invoke(p.fn[c], address(h), uintptr(unsafe.Pointer(&b)), uintptr(n))
	}
	return upToNUL(b[:n]), rc
}

// textRoom is the length of the buffer that nvml.h documents for a text.
func textRoom(c call) int {
	switch c {
	case callUUID, callName:
		return 96 // NVML_DEVICE_UUID_V2_BUFFER_SIZE, NVML_DEVICE_NAME_V2_BUFFER_SIZE
	case callSerial:
		return 30
	case callVBIOS:
		return 32
	default:
		return 80 // versions and part numbers
	}
}

func upToNUL(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

func (p *pureNVML) ask(c call, h handle, a, b uint32) (answer, code) {
	switch p.calls[c].shape {
	case shape32:
		return p.numbers32(c, h, a)
	case shape64:
		return p.number64(c, address(h), a, b)
	default:
		return p.askOwn(c, address(h), a)
	}
}

// numbers32 calls a function whose answers are 32-bit numbers behind pointers of their own.
func (p *pureNVML) numbers32(c call, h handle, a uint32) (answer, code) {
	var o [4]uint32
	var rc code
	fn, d := p.fn[c], address(h)
	switch s := p.calls[c]; {
	case h == nil:
		rc = invoke(fn, uintptr(unsafe.Pointer(&o[0])))
	case s.selectors == 1:
		rc = invoke(fn, d, uintptr(a), uintptr(unsafe.Pointer(&o[0])))
	case s.outputs == 1:
		rc = invoke(fn, d, uintptr(unsafe.Pointer(&o[0])))
	case s.outputs == 2:
		rc = invoke(fn, d, uintptr(unsafe.Pointer(&o[0])), uintptr(unsafe.Pointer(&o[1])))
	default:
		rc = invoke(fn, d, uintptr(unsafe.Pointer(&o[0])), uintptr(unsafe.Pointer(&o[1])),
			uintptr(unsafe.Pointer(&o[2])), uintptr(unsafe.Pointer(&o[3])))
	}
	return answer{uint64(o[0]), uint64(o[1]), uint64(o[2]), uint64(o[3])}, rc
}

// number64 calls a function whose answer is one 64-bit number.
func (p *pureNVML) number64(c call, d uintptr, a, b uint32) (answer, code) {
	var o uint64
	var rc code
	if p.calls[c].selectors == 2 {
		rc = invoke(p.fn[c], d, uintptr(a), uintptr(b), uintptr(unsafe.Pointer(&o)))
	} else {
		rc = invoke(p.fn[c], d, uintptr(unsafe.Pointer(&o)))
	}
	return answer{o}, rc
}

// askOwn calls the functions whose answer is a struct.
func (p *pureNVML) askOwn(c call, d uintptr, a uint32) (answer, code) {
	fn := p.fn[c]
	switch c {
	case callMemory2:
		m := memory2Layout{version: uint32(unsafe.Sizeof(memory2Layout{})) | 2<<versionShift}
		rc := invoke(fn, d, uintptr(unsafe.Pointer(&m)))
		return answer{m.total, m.free, m.used, m.reserved}, rc
	case callMemory, callBAR1:
		var m memoryLayout
		rc := invoke(fn, d, uintptr(unsafe.Pointer(&m)))
		return answer{m.total, m.free, m.used}, rc
	case callUtilization:
		var u utilizationLayout
		rc := invoke(fn, d, uintptr(unsafe.Pointer(&u)))
		return answer{uint64(u.gpu), uint64(u.memory)}, rc
	case callConfidential:
		var s confidentialLayout
		rc := invoke(fn, uintptr(unsafe.Pointer(&s)))
		return answer{uint64(s.environment), uint64(s.feature), uint64(s.devTools)}, rc
	case callAttributes:
		var t attributesLayout
		rc := invoke(fn, d, uintptr(unsafe.Pointer(&t)))
		return answer{uint64(t.sms), t.memoryMiB, uint64(t.gpuSlices)}, rc
	case callField:
		f := fieldLayout{id: a}
		if rc := invoke(fn, d, 1, uintptr(unsafe.Pointer(&f))); rc != codeSuccess {
			return answer{}, rc
		}
		return fieldValue(f.kind, f.value), code(f.code)
	case callRetired:
		return p.retired(d, a)
	default:
		return answer{}, codeNotSupported
	}
}

// fieldValue reads nvmlValue_t by its type: 0 double, 1 unsigned int, 2 to 4 of 64 bits, 5 int, 6 unsigned short. The fields
// asked for are unsigned ints; a double is none of them, and its bits would be no number.
func fieldValue(kind uint32, v [8]byte) answer {
	switch kind {
	case 0:
		return answer{}
	case 2, 3, 4:
		return answer{binary.NativeEndian.Uint64(v[:])}
	case 6:
		return answer{uint64(binary.NativeEndian.Uint16(v[:2]))}
	}
	return answer{uint64(binary.NativeEndian.Uint32(v[:4]))}
}

// retired counts pages. The list itself is not of interest, but the function gives the number only with it.
func (p *pureNVML) retired(d uintptr, cause uint32) (answer, code) {
	for room := 64; room <= maxList; room *= 2 {
		pages, n := make([]uint64, room), uint32(room)
		rc := invoke(p.fn[callRetired], d, uintptr(cause), uintptr(unsafe.Pointer(&n)), uintptr(unsafe.Pointer(&pages[0])))
		if rc != codeInsufficient {
			return answer{uint64(n)}, rc
		}
	}
	return answer{}, codeInsufficient
}

func (p *pureNVML) pair(c call, h, other handle, a uint32) (uint64, code) {
	var o uint32
	var rc code
	if c == callP2P {
		rc = invoke(p.fn[c], address(h), address(other), uintptr(a), uintptr(unsafe.Pointer(&o)))
	} else {
		rc = invoke(p.fn[c], address(h), address(other), uintptr(unsafe.Pointer(&o)))
	}
	return uint64(o), rc
}

func (p *pureNVML) child(c call, h handle, index uint32) (handle, code) {
	var o uintptr
	var rc code
	if h == nil {
		rc = invoke(p.fn[c], uintptr(index), uintptr(unsafe.Pointer(&o)))
	} else {
		rc = invoke(p.fn[c], address(h), uintptr(index), uintptr(unsafe.Pointer(&o)))
	}
	return o, rc
}

func (p *pureNVML) pci(c call, h handle, link uint32) (pciInfo, code) {
	var o pciLayout
	var rc code
	if c == callLinkRemote {
		rc = invoke(p.fn[c], address(h), uintptr(link), uintptr(unsafe.Pointer(&o)))
	} else {
		rc = invoke(p.fn[c], address(h), uintptr(unsafe.Pointer(&o)))
	}
	i := pciInfo{legacy: upToNUL(o.legacy[:]), id: o.id, subsys: o.subsystem}
	if p.older[c] == 0 {
		i.bus = upToNUL(o.busID[:])
	}
	return i, rc
}

func (p *pureNVML) processes(c call, h handle) ([]process, code) {
	first := p.older[c] == 2 // the first version's entries are shorter
	for room := 16; room <= maxList; room *= 2 {
		n := uint32(room)
		if first {
			list := make([]process1Layout, room)
			rc := invoke(p.fn[c], address(h), uintptr(unsafe.Pointer(&n)), uintptr(unsafe.Pointer(&list[0])))
			if rc == codeInsufficient {
				continue
			}
			return listed(list, n, rc, func(x process1Layout) process { return process{x.pid, x.memory} })
		}
		list := make([]processLayout, room)
		rc := invoke(p.fn[c], address(h), uintptr(unsafe.Pointer(&n)), uintptr(unsafe.Pointer(&list[0])))
		if rc == codeInsufficient {
			continue
		}
		return listed(list, n, rc, func(x processLayout) process { return process{x.pid, x.memory} })
	}
	return nil, codeInsufficient
}

// listed takes the n entries that the library says it wrote, and no more than there was room for.
func listed[T any](list []T, n uint32, rc code, one func(T) process) ([]process, code) {
	if rc != codeSuccess {
		return nil, rc
	}
	out := make([]process, min(int64(n), int64(len(list))))
	for i := range out {
		out[i] = one(list[i])
	}
	return out, rc
}

func (p *pureNVML) fabric(c call, h handle) (fabricInfo, code) {
	if c == callFabric {
		var f fabricLayout
		rc := invoke(p.fn[c], address(h), uintptr(unsafe.Pointer(&f)))
		return fabricInfo{f.cluster, code(f.status), f.clique, f.state}, rc
	}
	f := fabric2Layout{version: uint32(unsafe.Sizeof(fabric2Layout{})) | 2<<versionShift}
	rc := invoke(p.fn[c], address(h), uintptr(unsafe.Pointer(&f)))
	return fabricInfo{f.cluster, code(f.status), f.clique, f.state}, rc
}

func (p *pureNVML) newEvents() (eventSet, code) {
	var o uintptr
	rc := invoke(p.fn[callSetCreate], uintptr(unsafe.Pointer(&o)))
	return o, rc
}

func (p *pureNVML) register(set eventSet, h handle, types uint64) code {
	return invoke(p.fn[callRegister], address(h), uintptr(types), address(set))
}

func (p *pureNVML) wait(set eventSet, milliseconds uint32) (event, code) {
	var o eventLayout
	rc := invoke(p.fn[callSetWait], address(set), uintptr(unsafe.Pointer(&o)), uintptr(milliseconds))
	return event{o.device, o.kind, o.data}, rc
}

func (p *pureNVML) free(set eventSet) code { return invoke(p.fn[callSetFree], address(set)) }
