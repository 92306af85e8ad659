// Package leftover makes cases in which no site has enough free cards but several together may have, for tests and benchmarks.
package leftover
