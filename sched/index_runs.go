package sched

import "iter"

type run struct{ site, part, head, tail, nodes, up, cards, free int32 }

type runCursor struct{}

func (x *index) runsWith(q *query, cards int, c *runCursor) { panic("stub") }
func (x *index) nextRun(q *query, c *runCursor) int32       { panic("stub") }
func (x *index) room(q *query, run int32, limit int) int    { panic("stub") }
func (x *index) runsOfSite(site int32) []int32              { panic("stub") }
func (x *index) run(r int32) run                            { panic("stub") }
func (x *index) runKind(r int32) (kind, country int32)      { panic("stub") }
func (x *index) runNodes(r int32) iter.Seq[int32]           { panic("stub") }
