package sched

// Reason is what keeps a node from a request.
type Reason uint8

// The reasons, in the order in which they are tried: a node is charged to the first that applies. A share that no device has left is charged before CPU;
// for a lease that begins later, what is too little then is charged after supplier and apart.
const (
	// ReasonDown is charged to a node that is down, or takes no new jobs.
	ReasonDown Reason = iota + 1
	// ReasonModel is charged where the devices are of no model that was asked for.
	ReasonModel
	// ReasonMemory is charged where a device has too little memory.
	ReasonMemory
	// ReasonCountry is charged where the node stands in no country and region that was allowed.
	ReasonCountry
	// ReasonConnectivity is charged where the line is of too low a tier.
	ReasonConnectivity
	// ReasonCompliance is charged where a standard that was asked for is not kept.
	ReasonCompliance
	// ReasonAssurance is charged where the node's claims are proven too little.
	ReasonAssurance
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
	// ReasonDisk is charged where enough devices but too little disk is free.
	ReasonDisk
	// ReasonSupplier is charged where the supplier is not among those that may serve.
	ReasonSupplier
	// ReasonApart is charged where a job runs from which this one must be apart.
	ReasonApart
	// ReasonShare is charged where devices are not divided in the way that was asked for, or none has such a part left.
	ReasonShare
	// ReasonWindow is charged where what is free now is booked for some time of the request, or the supplier takes the node back before its end.
	ReasonWindow
	// ReasonCustom is charged where Plugins.Filter cut the node.
	ReasonCustom
	// ReasonReplicas is charged to nodes that would do, but hold too few replicas even all together.
	ReasonReplicas
	// ReasonOneSupplier is charged to nodes that would do, where no supplier alone holds all replicas.
	ReasonOneSupplier
	// ReasonSites is charged to nodes that would do, where no set of sites of the allowed number holds all replicas.
	ReasonSites
	// ReasonUnmeasured is charged to nodes that would do, where every such set has a link that was never measured.
	ReasonUnmeasured
	// ReasonDelay is charged to nodes that would do, where every such set has a link that is too slow to answer.
	ReasonDelay
	// ReasonBandwidth is charged to nodes that would do, where every such set has a link that carries too little.
	ReasonBandwidth
	// ReasonSurvival is charged to nodes that would do, where no number of spares gives the chance to survive that was asked for.
	ReasonSurvival

	lastReason = ReasonSurvival
)

// String returns the reason's name.
func (r Reason) String() string {
	return label(r, "down", "model", "memory", "country", "connectivity", "compliance", "assurance", "tier", "standing", "price", "size",
		"cards", "cpu", "ram", "disk", "supplier", "apart", "share", "window", "custom", "replicas", "one supplier", "sites", "unmeasured",
		"delay", "bandwidth", "survival")
}

// Refusal counts the nodes that were charged to one reason.
type Refusal struct {
	Reason Reason
	// Nodes is how many, Devices how many devices they have.
	Nodes, Devices int
	// Have is the best that any of them has of what Need asks for. Both are 0 for the reasons that compare no numbers, and Have is 0 for sites,
	// delay and bandwidth where no relaxation was found.
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
	// FieldAssurance is Request.MinAssurance.
	FieldAssurance
	// FieldPrice is Request.MaxHourMicro.
	FieldPrice
	// FieldReplicas is Request.Replicas.
	FieldReplicas

	lastField = FieldReplicas
)

// String returns the name of the field in Request.
func (f Field) String() string { return label(f, fieldNames()...) }

// MarshalText writes the name of the field in Request.
func (f Field) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the name of a field in Request.
func (f *Field) UnmarshalText(text []byte) (err error) {
	*f, err = number[Field]("field", text, fieldNames()...)
	return err
}

func fieldNames() []string {
	return []string{
		"MaxSites", "MaxDelayMicros", "MinMbps", "MinStandingPPM", "MinConnectivity", "MinTier", "MinAssurance", "MaxHourMicro", "Replicas",
	}
}
