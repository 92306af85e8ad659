// Package golden compares what a test got with a file in testdata, and rewrites the file under -update.
package golden
