package wal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/wal"
)

// A process that starts again knows what was decided before it died.
func ExampleLog() {
	dir, err := os.MkdirTemp("", "wal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	io := settlement.Asset{Mint: "IO", Decimals: 8}
	params := settlement.Params{Version: "example", MaxLines: 10, Quorum: 1, Assets: []settlement.Asset{io}}
	for life := range 2 {
		log, err := wal.Open(filepath.Join(dir, "settlement.wal"))
		if err != nil {
			fmt.Println(err)
			return
		}
		recorder, err := settlement.NewRecorder(params, log)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(life, log.Seq(), recorder.Journal().Totals(io).Open)
		if life == 0 {
			_, err = recorder.Apply(time.Unix(0, 0), settlement.Decided{Epoch: 1, Intents: []settlement.Intent{{
				ID: settlement.NewIntentID(settlement.Pay, "example"), Kind: settlement.Pay, Asset: io, From: "vault", To: "ann", Units: 5,
			}}})
			fmt.Println(err)
		}
		if err := log.Close(); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 0 0 0
	// <nil>
	// 1 1 5
}

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "wal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "settlement.wal")
	log, _ := wal.Open(path)
	fmt.Println(log.Append([]byte("one")), log.Append([]byte("two")), log.Close())
	whole, _ := os.ReadFile(path)
	_ = os.WriteFile(path, whole[:len(whole)-1], 0o600)
	log, err = wal.Open(path)
	fmt.Println(err, log.Seq(), log.Cut)
	err = log.Replay(func(record []byte) error {
		fmt.Printf("%s\n", record)
		return nil
	})
	fmt.Println(err, log.Close())
	// Output:
	// <nil> <nil> <nil>
	// <nil> 1 14
	// one
	// <nil> <nil>
}
