package sched

// Reason is what keeps a node from a request.
type Reason uint8

// The reasons, in the order in which they are tried: a node is charged to the first that applies.
const (
	// ReasonDown is charged to a node that is down.
	ReasonDown Reason = iota + 1
	// ReasonModel is charged where the devices are of no model that was asked for.
	ReasonModel
	// ReasonMemory is charged where a device has too little memory.
	ReasonMemory
	// ReasonCountry is charged where the node stands in no country that was allowed.
	ReasonCountry
	// ReasonConnectivity is charged where the line is of too low a tier.
	ReasonConnectivity
	// ReasonTier is charged where the node is of too low a tier.
	ReasonTier
	// ReasonStanding is charged where the node's standing is too low.
	ReasonStanding
	// ReasonPrice is charged where a device costs too much.
	ReasonPrice
	// ReasonSize is charged where the node has fewer devices than a replica wants, even when all are free.
	ReasonSize
	// ReasonCards is charged where too few devices are free now.
	ReasonCards
	// ReasonCPU is charged where enough devices but too few processor cores are free.
	ReasonCPU
	// ReasonRAM is charged where enough devices but too little main memory is free.
	ReasonRAM
	// ReasonReplicas is charged to nodes that would do, but hold too few replicas even all together.
	ReasonReplicas
	// ReasonSites is charged to nodes that would do, where no set of sites of the allowed number holds all replicas.
	ReasonSites
	// ReasonUnmeasured is charged to nodes that would do, where every such set has a link that was never measured.
	ReasonUnmeasured
	// ReasonDelay is charged to nodes that would do, where every such set has a link that is too slow to answer.
	ReasonDelay
	// ReasonBandwidth is charged to nodes that would do, where every such set has a link that carries too little.
	ReasonBandwidth
)

// String returns the reason's name.
func (r Reason) String() string {
	return label(r, "down", "model", "memory", "country", "connectivity", "tier", "standing", "price", "size", "cards", "cpu", "ram",
		"replicas", "sites", "unmeasured", "delay", "bandwidth")
}

// Refusal counts the nodes that were charged to one reason.
type Refusal struct {
	Reason Reason
	// Nodes is how many, Devices how many devices they have.
	Nodes, Devices int
	// Have is the best that any of them has of what Need asks for. Both are 0 for the reasons that compare no numbers (down,
	// model, country, unmeasured), and Have is 0 for sites, delay and bandwidth where no relaxation was found.
	Have, Need uint64
}

// Field is a field of a request that a relaxation may change.
type Field uint8

// The fields that can be relaxed.
const (
	// FieldSites is Request.MaxSites.
	FieldSites Field = iota + 1
	// FieldDelay is Request.MaxDelayMicros.
	FieldDelay
	// FieldMbps is Request.MinMbps.
	FieldMbps
	// FieldStanding is Request.MinStandingPPM.
	FieldStanding
	// FieldConnectivity is Request.MinConnectivity.
	FieldConnectivity
	// FieldTier is Request.MinTier.
	FieldTier
	// FieldPrice is Request.MaxHourMicro.
	FieldPrice
	// FieldReplicas is Request.Replicas.
	FieldReplicas
)

// String returns the name of the field in Request.
func (f Field) String() string {
	return label(f, "MaxSites", "MaxDelayMicros", "MinMbps", "MinStandingPPM", "MinConnectivity", "MinTier", "MaxHourMicro", "Replicas")
}

// MarshalText writes the name of the field in Request.
func (f Field) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the name of a field in Request.
func (f *Field) UnmarshalText(text []byte) (err error) {
	*f, err = number[Field]("field", text, "MaxSites", "MaxDelayMicros", "MinMbps", "MinStandingPPM", "MinConnectivity", "MinTier",
		"MaxHourMicro", "Replicas")
	return err
}
