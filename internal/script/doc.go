// Package script runs text scripts of events against a state machine in tests.
//
// A script is a list of blocks, separated by empty lines. A block is one command or more, a line "----", and the output
// expected of them. A command is a word and arguments of the form key=value; a value with spaces stands in double
// quotes. Lines that begin with # are comments and are kept. Under -update the expected output is rewritten.
//
//	at t=2024-06-20T00:00:00Z
//	deposit bond=gpu-1 holder=ann amount=200
//	----
//	locked gpu-1 ann 200
package script
