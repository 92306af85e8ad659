package wal

// syncDir does nothing: Windows has no handle of a folder that could be flushed, and names are durable with the file.
func syncDir(string) error { return nil }
