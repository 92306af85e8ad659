package spl

import (
	"fmt"
	"net/url"
)

// What holds an endpoint's URL, which is where providers put the caller's key, shows its host and nothing else, however it is
// formatted or logged. So does a signer with what it signs by.

// String returns the endpoint's host.
func (c Config) String() string { return hidden("Config", c.URL) }

// GoString returns what String does.
func (c Config) GoString() string { return c.String() }

// MarshalText implements encoding.TextMarshaler with what String returns, for logs.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String returns the endpoint's name.
func (c *Chain) String() string { return fmt.Sprintf("spl.Chain(%s)", c.rpc.name) }

// GoString returns what String does.
func (c *Chain) GoString() string { return c.String() }

// String returns the first endpoint's host.
func (c WatchConfig) String() string { return hidden("WatchConfig", c.URL) }

// GoString returns what String does.
func (c WatchConfig) GoString() string { return c.String() }

// MarshalText implements encoding.TextMarshaler with what String returns, for logs.
func (c WatchConfig) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String returns the endpoint's host.
func (x WatchWitness) String() string { return hidden("WatchWitness", x.URL) }

// GoString returns what String does.
func (x WatchWitness) GoString() string { return x.String() }

// MarshalText implements encoding.TextMarshaler with what String returns, for logs.
func (x WatchWitness) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// String says how many endpoints are watched.
func (w *Watcher) String() string { return fmt.Sprintf("spl.Watcher(%d endpoints)", len(w.endpoints)) }

// GoString returns what String does.
func (w *Watcher) GoString() string { return w.String() }

// String returns the address of the key. The command's arguments, which may name a secret, are not shown.
func (p *Process) String() string { return fmt.Sprintf("spl.Process(%s)", p.account) }

// GoString returns what String does.
func (p *Process) GoString() string { return p.String() }

func hidden(what, address string) string {
	host := "no address"
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = u.Host
	}
	return fmt.Sprintf("spl.%s(%s)", what, host)
}
