// Package wal is a settlement.Store in a file: an append-only log of records that survives kill -9 and the loss of power.
//
// # Model
//
// A [Log] is a file of records, oldest first. A record is a header of 12 bytes and a payload: the payload's length (uint32,
// big endian), the CRC-32C of those four bytes, the CRC-32C of the payload. The file begins with a line that names the
// format. Rules:
//
//   - [Log.Append] returns when its record is on the disk.
//   - What a crash cut off can only be at the end. [Open] removes such a tail and says in Log.Cut how long it was.
//   - Damage anywhere else is [ErrCorrupt], since what follows it would be lost without a word: nothing is changed then, and
//     an operator decides.
//   - After a failed write or sync the log refuses everything with [ErrFailed], because the state of the file is unknown
//     until it is read again.
//   - One process holds a log at a time, by a lock that goes with the process.
//   - The file and its lock can be read and written by their owner only (0600), the folder too if Open makes it (0700).
//
// # Worked example
//
// A log of one record of 3 bytes has 19 + 12 + 3 = 34 bytes. A crash while a second record of 5 bytes is written may leave 34
// to 51 of them; Open cuts all but the first 34, unless all 51 are there and the checksums agree.
//
// # Rounding and errors
//
// Nothing is rounded. Open returns ErrCorrupt, or the lock's error if another process holds the log. Append returns
// [ErrTooLong] and goes on, or the disk's error and ends the log.
//
// # What it does not do
//
// It does not encrypt, compress, prune or copy. It does not tell whole records that a disk lost from ones that were never
// written: what is cut off at the end was not acknowledged only if the disk keeps what it says it has synced. It is not safe
// for concurrent use.
//
// # Sources
//
// Why a failed fsync ends the log: Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020. CRC-32C:
// RFC 3720, appendix B.4. A name is durable when its folder is synced: fsync(2).
package wal
