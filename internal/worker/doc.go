// Package worker is a supplier's agent: it probes a host, reports what it found, sends heartbeats, and answers challenges of
// work and memory, over the HTTP interface of the reference server.
//
// The package also holds the messages of a challenge, which both sides share. A server offers a challenge in its answer to a
// report; from then on every device has a line of its own: the server asks by a Step, the agent answers by a signed report
// whose nonce came with the step. So every answer is the agent's own, fresh, and to this question.
package worker
