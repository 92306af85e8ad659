// Package httpapi shows the network to people and programs: one page, a JSON API for what the page shows, and the few
// writes that carry their own proof.
//
// Reads come from the state between two commands. Amounts are strings of digits. Bad input is answered with problem
// details (RFC 9457, application/problem+json) that name the field and the limit; a job that cannot be placed carries its
// counted reasons and the changes that would place it.
//
// There is no TLS and no user here: the server listens on a loopback address, refuses a request whose Host is another
// name (so that no page elsewhere can reach it by DNS rebinding), and takes an operator's commands only with the token
// that lies in its state folder.
package httpapi
