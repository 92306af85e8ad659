package chaos

import "slices"

// Shrink makes a script shorter as long as it fails: operations are left out, in ever smaller groups, and then batches and ticks.
// Fails must say yes to the script that is given. What it returns is as short as leaving out any single operation allows.
func Shrink(s Script, fails func(Script) bool) Script {
	for size := max(1, len(s.Ops)/2); size > 0; {
		shorter := false
		for at := 0; at < len(s.Ops); {
			try := s
			try.Ops = slices.Delete(slices.Clone(s.Ops), at, min(at+size, len(s.Ops)))
			if fails(try) {
				s, shorter = try, true
			} else {
				at += size
			}
		}
		if size > 1 {
			size /= 2
		} else if !shorter {
			break
		}
	}
	for _, smaller := range []func(*World){
		func(w *World) { w.Batches = 1 },
		func(w *World) { w.Lines = 1 },
		func(w *World) { w.Ticks = 1 + last(s.Ops) },
	} {
		try := s
		smaller(&try.World)
		if try.World != s.World && try.valid() == nil && fails(try) {
			s = try
		}
	}
	return s
}

// last is the tick of the last operation.
func last(ops []Op) int {
	if len(ops) == 0 {
		return 0
	}
	return ops[len(ops)-1].Tick
}
