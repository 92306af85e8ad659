package sched

import "github.com/idlegrid/idlegrid/internal/canon"

const fragWorst = 100

type demand struct{}

// Spec is one kind of request in the observed mix.
type Spec struct{}

func newDemand(mix []Spec) *demand { return &demand{} }

func (f *Fleet) observed(e Observed) error { return nil }

func (s *state) fragmentation(q *ask, r *ranked) int64 { return 0 }

func (q *ask) leftOver(before, after uint16) int64 { return int64(after) }

func (d *demand) encode(w *canon.Writer) {}

func (d *decoder) demand() *demand { return newDemand(nil) }
