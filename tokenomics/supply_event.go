package tokenomics

// Event is something that happened to the supply: [Emitted], [Burned], [Vested] or [Moved].
//
//sumtype:decl
type Event interface{ supplyEvent() }

// Emitted says that an epoch is due. What it creates and releases follows from the policy of its time.
type Emitted struct {
	Epoch Epoch
	// Inputs is what the epoch brings; a fixed schedule needs none. Start and End follow from the epoch, and what was burned
	// and what came into the fee vault from the events before: all four have to be zero.
	Inputs Inputs
}

// Burned says that tokens were destroyed.
type Burned struct {
	Amount Amount
	// Proof identifies the burn, for example by the signature of its transaction: 1 to 128 bytes. Each proof counts once.
	Proof string
	// From is where the tokens were: not Locked.
	From Account
}

// Vested orders that what the allocation has freed by now leave the lock. It may come at any time and any number of times.
type Vested struct{}

// Moved says that tokens have changed accounts: rewards that were received, fees that came in. Neither account is Locked.
type Moved struct {
	From, To Account
	Amount   Amount
}

func (Emitted) supplyEvent() {}
func (Burned) supplyEvent()  {}
func (Vested) supplyEvent()  {}
func (Moved) supplyEvent()   {}

// Effect is what follows from an event: [Minted], [Decided], [Retired] or [Unlocked].
//
//sumtype:decl
type Effect interface{ supplyEffect() }

// Minted orders that the budget of an epoch be shared out as block rewards. It is in [Rewards] until it is moved.
type Minted struct {
	Epoch  Epoch
	Amount Amount
}

// Decided orders and records what a policy decided besides a budget: payouts of claims, a buy-back, a burn, or that
// something was out of the ordinary.
type Decided struct {
	Epoch  Epoch
	Result Result
}

// Retired records that a burn has lowered the supply.
type Retired struct {
	Amount Amount
	Proof  string
}

// Unlocked records that a part of a bucket circulates from now on.
type Unlocked struct {
	Bucket string
	Amount Amount
}

func (Minted) supplyEffect()   {}
func (Decided) supplyEffect()  {}
func (Retired) supplyEffect()  {}
func (Unlocked) supplyEffect() {}
