package nvml

import (
	"fmt"

	"github.com/idlegrid/idlegrid/gpu"
)

// code is what a function of the library returns (nvmlReturn_t). It is never turned into words by the library: the function
// for that is one more symbol that may be absent.
type code int32

// The codes of nvml.h that mean something to this package.
const (
	codeSuccess         code = 0
	codeUninitialized   code = 1
	codeInvalidArgument code = 2
	codeNotSupported    code = 3
	codeNoPermission    code = 4
	codeNotFound        code = 6
	codeInsufficient    code = 7
	codeDriverNotLoaded code = 9
	codeTimeout         code = 10
	codeLibraryNotFound code = 12
	codeFunctionAbsent  code = 13
	codeCorruptedInfo   code = 14
	codeLost            code = 15
	codeResetRequired   code = 16
	codeSystemBlocked   code = 17
	codeVersions        code = 18
	codeNotReady        code = 27
)

// gone reports whether the code says that there is no driver behind the library any more.
func (c code) gone() bool { return c == codeUninitialized || c == codeDriverNotLoaded }

// why puts the code into the words of a missing value; empty for success.
func (c code) why() string {
	switch c {
	case codeSuccess:
		return ""
	case codeNotSupported:
		return gpu.WhyNotSupported
	case codeFunctionAbsent:
		return gpu.WhySymbolAbsent
	case codeNoPermission:
		return gpu.WhyNoPermission
	case codeTimeout:
		return gpu.WhyTimeout
	case codeLost:
		return gpu.WhyLost
	case codeCorruptedInfo:
		return gpu.WhyUnreadable
	case codeUninitialized:
		return "not initialised"
	case codeDriverNotLoaded:
		return "driver not loaded"
	case codeLibraryNotFound:
		return "library not found"
	case codeResetRequired:
		return "reset required"
	case codeSystemBlocked:
		return "blocked by the operating system"
	case codeVersions:
		return "driver and library versions differ"
	case codeNotReady:
		return "not ready"
	default:
		return fmt.Sprintf("error %d", int32(c))
	}
}
