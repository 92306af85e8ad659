#!/bin/sh
# The kernels as PTX text, by clang (Debian's clang-16) alone: no CUDA toolkit. Usage: sh generate.sh [folder for the output]
# sm_61 is the first with dp4a, and its module has no mma, which Turing and older cannot load. sm_80 has cp.async and mma
# over k32. PTX 7.0 is what drivers since 450 take. clang drops the size of a group from OpenCL kernels: it is put back, so that
# ptxas plans the registers for it and a launch of another size is refused.
set -eu
cd "$(dirname "$0")"
out=${1:-.}
make() {
	cat [0-9]-*.cl | "${CLANG:-clang-16}" --target=nvptx64-nvidia-cuda -march="$1" -Xclang -target-feature -Xclang +ptx70 \
		-x cl -cl-std=CL1.2 -Xclang -finclude-default-header -Werror -O3 -S $3 - -o - |
		sed 's/^)$/)\n.reqntid 256, 1, 1/' >"$out/$2"
}
make sm_61 plain.ptx -DNO_TENSOR
make sm_80 tensor.ptx ""
