// Command refserver is the reference server: a thin shell around the packages of the SDK, with one page, a JSON API and
// a journal.
//
//	go run ./refserver -demo        a network that lives by itself, on the real Solana runtime (needs Node.js 20)
//	go run ./refserver              an empty network that keeps what it is told in the user's configuration folder
//
// It listens on a loopback address only: it knows no users and no TLS.
package main
