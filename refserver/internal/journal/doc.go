// Package journal keeps what happened: an append-only file of records that survives the loss of power.
//
// A record is a header of 12 bytes and a payload: the payload's length (uint32, big endian), the CRC-32C of those four
// bytes, the CRC-32C of the payload. [Journal.Append] returns when its records are on the disk. What was cut off by a
// crash can only be at the end; [Open] removes such a tail and says how long it was. Damage anywhere else is an error,
// since what follows it would be lost without a word: nothing is changed then, and an operator decides.
//
// One process holds a journal at a time. After a failed write or sync the journal refuses further records, because the
// state of the file is unknown until it is read again.
package journal
