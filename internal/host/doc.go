// Package host opens the GPUs of the machine that it runs on: NVIDIA's through the driver's library, those of AMD and Intel
// through the kernel's files, or a fake host by name for a look without hardware. It also opens what can prove their work.
package host
