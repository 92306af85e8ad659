// Package filelock keeps two processes from working on one folder at once.
//
// A lock belongs to an open file and goes with the process, also when that is killed: there is no stale lock to remove.
package filelock
