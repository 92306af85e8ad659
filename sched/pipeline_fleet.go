package sched

// PipelineSites returns where the devices of members stand, device by device in order of rank, and how their sites are linked as last measured, for
// Pipeline to arrange; the link between two devices of one site is given, since a fleet has no measure of it. A pair that was never measured has
// a bandwidth of 0. Sites that are not known are as unmeasured.
func (f *Fleet) PipelineSites(members []Member, inside PipelineLink) PipelineSites {
	var out PipelineSites
	at := map[SiteID]int{} // only looked up
	var sites []SiteID
	for _, m := range members {
		k, ok := at[m.Site]
		if !ok {
			k = len(sites)
			at[m.Site], sites = k, append(sites, m.Site)
		}
		for range m.Devices {
			out.Site = append(out.Site, k)
		}
	}
	out.Links = make([][]PipelineLink, len(sites))
	for i, a := range sites {
		out.Links[i] = make([]PipelineLink, len(sites))
		for j, b := range sites {
			if i == j {
				out.Links[i][j] = inside
				continue
			}
			x, known := f.sites.find(a)
			y, known2 := f.sites.find(b)
			if known && known2 {
				delay, mbps, _ := f.links.of(x, y)
				out.Links[i][j] = PipelineLink{DelayMicros: delay, Mbps: mbps}
			}
		}
	}
	return out
}
