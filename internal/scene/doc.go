// Package scene moves the people and machines of a made-up network: machines join, report and are seen, jobs fill the
// fleet. It only gives commands to a network; what follows is decided there. The example and the server's
// demonstration stand on it.
//
// The three machines of [Published] are real: their models, counts and connectivity tiers are those of the block of
// 2024-06-20T00:00 that io.net's documentation shows (github.com/ionet-official/docs, images/docs/03091d7-br2.png).
package scene
