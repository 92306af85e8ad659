//go:build !(goexperiment.simd && amd64)

package cpu

func bestKernel() kernel { return plainKernel() }

type scratch struct{}
