package network

import (
	"time"

	"github.com/idlegrid/idlegrid/gpu"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/tokenomics"
)

// Command is what happened outside, or what somebody orders. The types in this file are all there are.
//
//sumtype:decl
type Command interface{ command() }

type (
	// Enrol lets a node report: its agent signs with the ed25519 key, its supplier is paid to the wallet.
	Enrol struct {
		Node     string `json:"node"`
		Key      Key    `json:"key"`
		Supplier string `json:"supplier"` // wallet address
	}

	// Challenge gives the node whose agent holds the key the nonce of its next report. The nonce is drawn at the door.
	Challenge struct {
		Key   Key `json:"key"`
		Nonce Key `json:"nonce"`
	}

	// Report hands over what an agent signed.
	Report struct {
		Signed []byte `json:"signed"`
	}

	// List says what a node offers beside its devices, and at what price; once its report is admitted it takes jobs.
	List struct {
		Node         string `json:"node"`
		Site         string `json:"site"`
		Country      string `json:"country"`      // ISO 3166-1 alpha-2
		Connectivity uint8  `json:"connectivity"` // 1 to 4, as measured by the network
		CPUMilli     uint64 `json:"cpu_milli"`
		RAMMiB       uint64 `json:"ram_mib"`
		HourMicro    uint64 `json:"hour_micro"` // millionths of a dollar per device and hour
	}

	// Link is a measurement between two sites.
	Link struct {
		A           string `json:"a"`
		B           string `json:"b"`
		DelayMicros uint32 `json:"delay_micros"`
		Mbps        uint32 `json:"mbps"`
	}

	// Heartbeats says which nodes were seen up and which were found down.
	Heartbeats struct {
		Up   []string `json:"up,omitempty"`
		Down []string `json:"down,omitempty"`
	}

	// Attest records a certificate of a node.
	Attest struct {
		Node      string    `json:"node"`
		Criterion string    `json:"criterion"`
		Issuer    string    `json:"issuer"`
		Expires   time.Time `json:"expires"`
	}

	// Prove records how a device answered a challenge of work and memory; a verifier posed and judged it.
	Prove struct {
		ID           string       `json:"id"` // of the challenge; it counts once
		Node         string       `json:"node"`
		Device       gpu.DeviceID `json:"device"`
		Passed       bool         `json:"passed"`
		Judged       bool         `json:"judged,omitempty"`         // whether it passed at rates that are known of the model
		Reason       string       `json:"reason,omitempty"`         // why it did not pass: a word of package challenge
		CommitMicros uint64       `json:"commit_micros,omitempty"`  // from the specification sent to the roots received
		OpsPerSecond uint64       `json:"ops_per_second,omitempty"` // at least so many
	}

	// AttestChip records that a vendor's evidence for a device was verified.
	AttestChip struct {
		Node   string       `json:"node"`
		Device gpu.DeviceID `json:"device"`
		ChipID string       `json:"chip_id"`
	}

	// RotateKey gives a node's agent a new key: what gpu.Rotation.Sign returned.
	RotateKey struct {
		Signed []byte `json:"signed"`
	}

	// RevokeKey takes the key of a node's agent out of use for ever.
	RevokeKey struct {
		Node string `json:"node"`
		Why  string `json:"why"`
	}

	// Stake bonds IO of the node's supplier.
	Stake struct {
		Node   string            `json:"node"`
		Amount tokenomics.Amount `json:"amount"`
	}

	// PostOffer asks for a co-staker.
	PostOffer struct {
		Offer    string            `json:"offer"`
		Node     string            `json:"node"`
		Amount   tokenomics.Amount `json:"amount"`
		ShareBps uint32            `json:"share_bps"`
		Expires  time.Time         `json:"expires"`
	}

	// AcceptOffer fills an offer with the holder's IO.
	AcceptOffer struct {
		Offer  string            `json:"offer"`
		Holder string            `json:"holder"` // wallet address
		Amount tokenomics.Amount `json:"amount"`
	}

	// SetPrice is the price at which dollars are converted from now on.
	SetPrice struct {
		MicroPerToken uint64 `json:"micro_per_token"`
		Source        string `json:"source"`
	}

	// Submit asks for a job to be placed. The wallet pays for what is metered when the lease ends; it is the owner of the
	// request.
	Submit struct {
		Job             string              `json:"job"`
		Wallet          string              `json:"wallet"`
		Currency        tokenomics.Currency `json:"currency"`
		Replicas        uint16              `json:"replicas"`
		GPUsPerReplica  uint16              `json:"gpus_per_replica"`
		Models          []string            `json:"models,omitempty"`
		MinMemoryMiB    uint64              `json:"min_memory_mib,omitempty"`
		CPUMilli        uint64              `json:"cpu_milli,omitempty"`
		RAMMiB          uint64              `json:"ram_mib,omitempty"`
		Countries       []string            `json:"countries,omitempty"`
		MinConnectivity uint8               `json:"min_connectivity,omitempty"`
		MinTier         uint8               `json:"min_tier,omitempty"`
		MinStandingPPM  uint32              `json:"min_standing_ppm,omitempty"`
		MaxHourMicro    uint64              `json:"max_hour_micro,omitempty"`
		MaxSites        uint8               `json:"max_sites,omitempty"`
		MaxDelayMicros  uint32              `json:"max_delay_micros,omitempty"`
		MinMbps         uint32              `json:"min_mbps,omitempty"`
		Seconds         uint32              `json:"seconds"`
	}

	// Finish ends a lease before its booked end.
	Finish struct {
		Lease string `json:"lease"`
	}

	// Retry has a refused payment paid after all, for example when its recipient has made a token account.
	Retry struct {
		Payment string `json:"payment"` // its id, 64 hexadecimal digits
	}

	// OtherScores says what base score the devices of an epoch's block have together that this network does not hold.
	OtherScores struct {
		Epoch tokenomics.Epoch `json:"epoch"`
		Pool  tokenomics.Pool  `json:"pool"`
		Score uint64           `json:"score"`
	}

	// Settle records what came of the money: the settlement events by which the runner keeps its journal.
	Settle struct {
		Event settlement.Event `json:"-"`
	}

	// Tick says that time has passed.
	Tick struct{}
)

func (Enrol) command()       {}
func (Challenge) command()   {}
func (Report) command()      {}
func (List) command()        {}
func (Link) command()        {}
func (Heartbeats) command()  {}
func (Attest) command()      {}
func (Prove) command()       {}
func (AttestChip) command()  {}
func (RotateKey) command()   {}
func (RevokeKey) command()   {}
func (Stake) command()       {}
func (PostOffer) command()   {}
func (AcceptOffer) command() {}
func (SetPrice) command()    {}
func (Submit) command()      {}
func (Finish) command()      {}
func (Retry) command()       {}
func (OtherScores) command() {}
func (Settle) command()      {}
func (Tick) command()        {}
