package svmtest

import (
	"context"
	"fmt"
	"iter"
)

// Action is what a fault does to a call. Those that concern some methods only leave other methods alone.
type Action uint8

// The actions. "Not executed" and "executed" say whether the call had its effect on the chain.
const (
	TooManyRequests        Action = iota + 1 // HTTP 429 with Retry-After: 1, not executed: a rate limit
	TooManyRequestsInBody                    // HTTP 200 with error -32429, not executed: a provider's rate limit
	Forbidden                                // HTTP 403, not executed: an API key that is no longer good
	ServerError                              // HTTP 500, not executed
	BadGateway                               // HTTP 502, not executed
	Unavailable                              // HTTP 503, not executed
	GatewayTimeout                           // HTTP 504, executed: the proxy gave up, the node did not
	HTMLBody                                 // HTTP 200 with a page of HTML, not executed: a proxy's captcha
	CutJSON                                  // HTTP 200, executed, the second half of the answer is missing
	EmptyBody                                // HTTP 200 without a body, executed
	ResetBefore                              // the connection is reset, not executed
	ResetAfter                               // the connection is reset, executed
	ResetMidway                              // the connection is reset in the midst of the answer, executed
	HangBefore                               // no answer until the client gives up, not executed
	HangAfter                                // no answer until the client gives up, executed
	DuplicateReply                           // the answer stands twice in the body, executed
	OtherID                                  // the answer carries another request's id, executed
	RepeatedReply                            // the answer that this endpoint gave to the method before, executed; null if there was none
	NullResult                               // the result is null, executed
	InternalError                            // error -32603, executed: the answer could not be made
	NodeUnhealthy                            // error -32005 "Node is behind by 42 slots", not executed
	ContextSlotNotReached                    // error -32016, not executed: another node behind the load balancer
	HistoryUnavailable                       // error -32011, not executed: a node without transaction history
	Stale                                    // the answer of Blocks blocks ago: a node that is behind
	AheadContext                             // the context slot is Blocks too high: a proxy that mixes two nodes' answers
	AcceptedAndDropped                       // sendTransaction: accepted, and lost on the way to the leader
	LandLate                                 // sendTransaction: executed Blocks blocks later, if its blockhash is still good
	DeliveredTwice                           // sendTransaction: executed, and again Blocks blocks later
	WrongSignature                           // sendTransaction: executed, the signature returned is another
	BlockhashNotFound                        // sendTransaction, simulateTransaction: error -32002 of a node that is behind, not executed
	BlockhashNotFoundAfter                   // sendTransaction: error -32002, but another node behind the load balancer has executed it
	NullStatus                               // getSignatureStatuses: null for every signature
	EarlyFinal                               // getSignatureStatuses: what is processed is called finalized
	NullTransaction                          // getTransaction: null
	NoMeta                                   // getTransaction: the transaction without its meta
	HiddenError                              // getTransaction, getSignatureStatuses, getSignaturesForAddress: err is null though it failed
	NullAccount                              // getAccountInfo, getMultipleAccounts: null for every address
	EmptyHistory                             // getSignaturesForAddress: no row: the node's history is pruned
	ShortList                                // lists of results: the second half is missing, of one row that row
	SlotAsHeight                             // getBlockHeight, getEpochInfo: the slot is given as the block height
	endOfActions
)

// names are the actions as String and the child have them, in the order of the constants.
func names() []string {
	return []string{
		"too-many-requests", "too-many-requests-in-body", "forbidden", "server-error", "bad-gateway", "unavailable", "gateway-timeout",
		"html-body", "cut-json", "empty-body", "reset-before", "reset-after", "reset-midway", "hang-before", "hang-after",
		"duplicate-reply", "other-id", "repeated-reply", "null-result", "internal-error", "node-unhealthy", "context-slot-not-reached",
		"history-unavailable", "stale", "ahead-context", "accepted-and-dropped", "land-late", "delivered-twice", "wrong-signature",
		"blockhash-not-found", "blockhash-not-found-after", "null-status", "early-final", "null-transaction", "no-meta", "hidden-error",
		"null-account", "empty-history", "short-list", "slot-as-height",
	}
}

// Fault is something that happens to calls. The calls that match are those to the endpoint, of the method, that the action
// concerns; calls of this package's own methods never match.
type Fault struct {
	Endpoint int    // position; -1: any
	Method   string // of the RPC; empty: any
	Skip     int    // matching calls that pass first
	Count    int    // matching calls that it happens to then; 0: 1
	Do       Action // what happens
	Blocks   int    // LandLate 1 to 149, DeliveredTwice 0 to 149, Stale 1 to 300, AheadContext 1 to 1,000,000; else 0
}

// Endpoint is the standing condition of an endpoint. The zero value is a good node at the tip.
type Endpoint struct {
	Lag                  int  // blocks behind, 0 to 300
	SlotAsHeight         bool // getBlockHeight and getEpochInfo give the slot as the block height
	ForgetStatuses       bool // getSignatureStatuses knows no signature
	ForgetTransactions   bool // getTransaction and getSignaturesForAddress know no transaction
	RefuseMinContextSlot bool // getSignatureStatuses and getTransaction refuse minContextSlot, which is new in Agave 4.4
}

// Actions returns all actions, in the order of their constants.
func Actions() iter.Seq[Action] {
	return func(yield func(Action) bool) {
		for a := Action(1); a < endOfActions; a++ {
			if !yield(a) {
				return
			}
		}
	}
}

// String returns the action's name in lower case with hyphens: "land-late".
func (a Action) String() string {
	if a == 0 || a >= endOfActions {
		return fmt.Sprintf("action-%d", uint8(a))
	}
	return names()[a-1]
}

// UnmarshalText reads the name that String gives.
func (a *Action) UnmarshalText(text []byte) error {
	for i, name := range names() {
		if name == string(text) {
			*a = Action(i + 1)
			return nil
		}
	}
	return fmt.Errorf("svmtest: no action is named %q", text)
}

// MarshalText gives the name that String gives. An action that is none is an error.
func (a Action) MarshalText() ([]byte, error) {
	if a == 0 || a >= endOfActions {
		return nil, fmt.Errorf("svmtest: action %d is none", uint8(a))
	}
	return []byte(a.String()), nil
}

// Inject adds faults behind those that wait already. For each call they are asked in this order. A fault that the call
// matches counts it; the first that has done its skipping happens, and the faults behind it do not see the call. If one is
// not valid, none is added.
func (n *Node) Inject(ctx context.Context, f ...Fault) error {
	for i, x := range f {
		if err := x.valid(i, len(n.ports)); err != nil {
			return err
		}
	}
	list := make([]wireFault, len(f))
	for i, x := range f {
		list[i] = wireFault{x.Endpoint, x.Method, x.Skip, max(x.Count, 1), x.Do, x.Blocks}
	}
	return n.control(ctx, nil, "inject faults", "svm_inject", list)
}

// ClearFaults takes away the faults that wait. Transactions that land late still do; calls that hang still hang.
func (n *Node) ClearFaults(ctx context.Context) error {
	return n.control(ctx, nil, "clear the faults", "svm_clearFaults")
}

// SetEndpoint puts the endpoint at a position into a condition, in place of the one it had. One that was nearer to the tip
// before shows an older chain then, as when a load balancer switches to a node that is behind.
func (n *Node) SetEndpoint(ctx context.Context, i int, e Endpoint) error {
	if i < 0 || i >= len(n.ports) {
		return fmt.Errorf("svmtest: set endpoint %d: there are %d", i, len(n.ports))
	}
	if e.Lag < 0 || e.Lag > maxLag {
		return fmt.Errorf("svmtest: set endpoint %d: Lag is %d, want 0 to %d", i, e.Lag, maxLag)
	}
	return n.control(ctx, nil, fmt.Sprintf("set endpoint %d", i), "svm_setEndpoint", i, wireEndpoint(e))
}

const (
	maxLag   = 300       // blocks whose accounts can still be told, behind the final one
	maxLate  = 149       // blocks: the longest that a transaction with the newest blockhash can wait and land
	maxAhead = 1_000_000 // slots
)

// limits returns what Blocks may be for an action.
func (a Action) limits() (low, high int) {
	if a == LandLate {
		return 1, maxLate
	}
	if a == DeliveredTwice {
		return 0, maxLate
	}
	if a == Stale {
		return 1, maxLag
	}
	if a == AheadContext {
		return 1, maxAhead
	}
	return 0, 0
}

func (f Fault) valid(i, endpoints int) error {
	low, high := f.Do.limits()
	switch {
	case f.Do == 0 || f.Do >= endOfActions:
		return fmt.Errorf("svmtest: inject fault %d: Do is %d, which is no action", i, uint8(f.Do))
	case f.Endpoint < -1 || f.Endpoint >= endpoints:
		return fmt.Errorf("svmtest: inject fault %d: Endpoint is %d, want -1 to %d", i, f.Endpoint, endpoints-1)
	case f.Skip < 0 || f.Skip > maxJSON:
		return fmt.Errorf("svmtest: inject fault %d: Skip is %d, want 0 to %d", i, f.Skip, uint64(maxJSON))
	case f.Count < 0 || f.Count > maxJSON:
		return fmt.Errorf("svmtest: inject fault %d: Count is %d, want 0 to %d", i, f.Count, uint64(maxJSON))
	case f.Blocks < low || f.Blocks > high:
		return fmt.Errorf("svmtest: inject fault %d: Blocks is %d, want %d to %d for %s", i, f.Blocks, low, high, f.Do)
	}
	return nil
}

type wireFault struct {
	Endpoint int    `json:"endpoint"`
	Method   string `json:"method"`
	Skip     int    `json:"skip"`
	Count    int    `json:"count"`
	Do       Action `json:"do"`
	Blocks   int    `json:"blocks"`
}

type wireEndpoint struct {
	Lag                  int  `json:"lag"`
	SlotAsHeight         bool `json:"slotAsHeight"`
	ForgetStatuses       bool `json:"forgetStatuses"`
	ForgetTransactions   bool `json:"forgetTransactions"`
	RefuseMinContextSlot bool `json:"refuseMinContextSlot"`
}
