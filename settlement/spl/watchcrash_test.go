package spl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/spl"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/settlement/wal"
)

var errDead = errors.New("the process is dead")

// death says at which operation a process dies, and whether before it, after it, or with half of its record on the disk.
type death struct {
	n    int
	when string
	dead bool
	done int
}

// act runs an operation unless the process is dead.
func (d *death) act(op func() error) error {
	if d.dead {
		return errDead
	}
	if d.done++; d.done != d.n {
		return op()
	}
	d.dead = true
	if d.when != "before" {
		_ = op() // nobody learns of it
	}
	return errDead
}

// mortal is a log as a process sees it that dies.
type mortal struct {
	*wal.Log
	d    *death
	path string
}

func (m mortal) Append(record []byte) error {
	return m.d.act(func() error {
		if err := m.Log.Append(record); err != nil || !m.d.dead || m.d.when != "midway" {
			return err
		}
		info, err := os.Stat(m.path)
		if err != nil {
			return err
		}
		return os.Truncate(m.path, info.Size()-int64(len(record)/2))
	})
}

// intake is one life: it goes on from the log, and scans until there is no more.
func (s *shop) intake(path string, d *death, bills []settlement.Bill) (*settlement.Till, error) {
	s.Helper()
	log, err := wal.Open(path)
	require.NoError(s, err)
	defer func() { require.NoError(s, log.Close()) }()
	r, err := settlement.NewTillRecorder(settlement.IONetTill(s.treasury), mortal{log, d, path})
	require.NoError(s, err)
	w, err := spl.NewWatcher(s.config)
	require.NoError(s, err)
	at := time.Unix(0, 0)
	for _, b := range bills {
		if _, err := r.Apply(at, settlement.BillOpened{Bill: b}); err != nil {
			return nil, err
		}
	}
	for {
		var from spl.Cursor
		if b := r.Bookmark(); b != nil {
			require.NoError(s, json.Unmarshal(b, &from))
		}
		var seen spl.Scan
		if err := d.act(func() (err error) {
			seen, err = w.Scan(s.Context(), from, slices.Collect(r.Till().References()))
			return err
		}); err != nil {
			return nil, err
		}
		for _, e := range seen.Events {
			if _, err := r.Apply(at, e); err != nil {
				return nil, err
			}
		}
		text, err := json.Marshal(seen.Cursor)
		require.NoError(s, err)
		if err := r.SetBookmark(text); err != nil {
			return nil, err
		}
		if !seen.More {
			return r.Till(), nil
		}
	}
}

// TestIntakeDiesAnywhere kills the intake before, after and midway of every scan and every record, in a log on the disk. The next
// life comes to the same till, to the last byte, as one that was never killed.
func TestIntakeDiesAnywhere(t *testing.T) {
	s := newShop(t, svmtest.Config{})
	a, b := s.bill("a", 25e6), s.bill("b", 40e6)
	s.pay("ann", a)
	s.pay("bob", a)
	s.pay("bob", spl.PayRequest{Recipient: b.Recipient, Amount: "15", Mint: b.Mint, References: b.References})
	s.transact([]string{"bob"}, s.transfer(s.dollar, tokenProgram, "bob", s.treasury.Account, 9e6))
	s.transact([]string{"bob"}, s.transfer(s.dollar, tokenProgram, "bob", s.treasury.Account, 999))
	s.blocks(svmtest.BlocksToFinal)
	var bills []settlement.Bill
	for e := range s.till.Bills() {
		bills = append(bills, e.Bill)
	}
	s.config.MaxTransactions = 2 // several scans, each with its bookmark
	dir := t.TempDir()
	want, err := s.intake(filepath.Join(dir, "calm"), &death{}, bills)
	require.NoError(t, err)
	units, err := s.Balance(t.Context(), s.dollar, s.treasury.Owner)
	require.NoError(t, err)
	require.Equal(t, units, want.Totals(s.dollar).In)
	require.Equal(t, settlement.TillTotals{In: 74e6 + 999, Credited: 40e6, Owed: 25e6, Suspended: 9e6, Kept: 999}, want.Totals(s.dollar))

	for _, when := range []string{"before", "after", "midway"} {
		for n := 1; ; n++ {
			path := filepath.Join(dir, fmt.Sprint(when, n))
			first := &death{n: n, when: when}
			if _, err := s.intake(path, first, bills); err == nil {
				require.Greater(t, n, 10, "it had enough to die in")
				break
			}
			require.True(t, first.dead)
			// The second life dies too, a little further on, and the third does not.
			_, _ = s.intake(path, &death{n: 3, when: when}, bills)
			got, err := s.intake(path, &death{}, bills)
			require.NoError(t, err)
			require.NoError(t, got.Audit())
			require.Equal(t, want.Digest(), got.Digest(), "%s %d", when, n)
		}
	}
}
