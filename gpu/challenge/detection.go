package challenge

import "math/big"

// Billion is the unit of fractions here: parts per billion.
const Billion = 1_000_000_000

// Detection is the chance, in parts per billion rounded down, that k openings catch a prover whose leaves are wrong in a
// fraction of that many parts per billion: 1-(1-f)^k, exactly. It holds for leaves drawn with repetition; distinct leaves, as
// Indices draws, catch a little more. A fraction of Billion or more counts as all.
func Detection(wrong uint32, k uint32) uint32 {
	wrong = min(wrong, Billion)
	e := new(big.Int).SetUint64(uint64(k))
	whole := new(big.Int).Exp(big.NewInt(Billion), e, nil)
	missed := new(big.Int).Exp(big.NewInt(int64(Billion-wrong)), e, nil)
	caught := new(big.Int).Sub(whole, missed)
	caught.Mul(caught, big.NewInt(Billion))
	return uint32(caught.Quo(caught, whole).Uint64())
}

// Undetected is the largest fraction of wrong leaves, in parts per billion, that k openings leave uncaught with a chance of
// more than the given parts per billion. With the steps of all opened segments as k it bounds what of a table may be missing:
// who passes held all but this, at that risk. It is Billion for k = 0.
func Undetected(k uint32, risk uint32) uint32 {
	low, high := uint32(0), uint32(Billion) // the answer is in [low, high]: Detection grows with the fraction
	for low < high {
		mid := low + (high-low+1)/2
		if Billion-Detection(mid, k) > risk {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}
