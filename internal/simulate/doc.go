// Package simulate is to be written.
package simulate
