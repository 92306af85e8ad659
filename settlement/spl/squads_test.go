package spl_test

import (
	"encoding/hex"
	"testing"

	"github.com/gagliardetto/solana-go"
	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement/spl"
)

// fill returns an address of one byte, repeated.
func fill(b byte) (k solana.PublicKey) {
	for i := range k {
		k[i] = b
	}
	return k
}

// squads is a multisig at the address 1, 2, ... 32. The vectors of this file were computed by another program, in Python,
// with its own derivation of addresses; the first eight bytes are those of the TypeScript SDK, too.
func squads() spl.Squads {
	s := spl.Squads{Program: solana.MustPublicKeyFromBase58(spl.SquadsProgram)}
	for i := range s.Multisig {
		s.Multisig[i] = byte(i + 1)
	}
	return s
}

func TestSquadsAddresses(t *testing.T) {
	s := squads()
	for want, find := range map[string]func() (solana.PublicKey, error){
		"5SWjfFsAkX465g7akT9KyKAgvPk5QtCYFuwfepWuvRAR": func() (solana.PublicKey, error) { return s.Vault(0) },
		"AuiiUCUtU8ZKEDuRTUBdgfpvW71NUvjJ1Zr74czD48LM": func() (solana.PublicKey, error) { return s.Transaction(258) },
		"GVAoGuSn87zvUBa15Qw79WQ9woddhiB2HRJSdKNrpmf2": func() (solana.PublicKey, error) { return s.Proposal(258) },
		"HZY95dEhgfx2cA7NCcQ7mtN474GmmfEsiqEBjTa47iL4": func() (solana.PublicKey, error) { return s.SpendingLimit(fill(7)) },
	} {
		got, err := find()
		require.NoError(t, err)
		require.Equal(t, want, got.String())
	}
}

// transferOf moves 5 units out of the vault.
func transferOf(t testing.TB, s spl.Squads) []spl.Instruction {
	t.Helper()
	vault, err := s.Vault(0)
	require.NoError(t, err)
	return []spl.Instruction{{
		Program:  solana.TokenProgramID,
		Accounts: []spl.Meta{{Key: fill(3), Writable: true}, {Key: fill(4), Writable: true}, {Key: vault, Signer: true}},
		Data:     []byte{3, 5, 0, 0, 0, 0, 0, 0, 0},
	}}
}

func TestSquadsInstructions(t *testing.T) {
	s := squads()
	creator, payer, member := keyOf("creator"), keyOf("payer"), keyOf("member")
	vault, _ := s.Vault(0)
	transaction, _ := s.Transaction(258)
	proposal, _ := s.Proposal(258)
	propose, err := s.Propose(258, 0, creator, payer, transferOf(t, s))
	require.NoError(t, err)
	approve, err := s.Approve(258, member)
	require.NoError(t, err)
	execute, err := s.Execute(258, 0, member, transferOf(t, s))
	require.NoError(t, err)
	spend, err := s.Spend(spl.Spend{
		Limit: fill(9), Member: member, Program: solana.TokenProgramID, Mint: fill(5), Decimals: 8, Source: fill(3), Destination: fill(6),
		To: fill(4), Units: 5,
	})
	require.NoError(t, err)
	none := solana.SystemProgramID
	for _, row := range []struct {
		in       spl.Instruction
		data     string
		accounts []spl.Meta
	}{
		{
			propose[0],
			"30fa4ea8d0e2dad30000960000000100020441f7e3d5c8f7d68db6337519c031365783f36a9c086d475fb5eaf91045331e6a" +
				"0303030303030303030303030303030303030303030303030303030303030303" + "0404040404040404040404040404040404040404040404040404040404040404" +
				"06ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b37913a8cf5857eff00a901030301020009000305000000000000000000",
			[]spl.Meta{
				{Key: s.Multisig, Writable: true},
				{Key: transaction, Writable: true},
				{Key: creator, Signer: true},
				{Key: payer, Signer: true, Writable: true},
				{Key: none},
			},
		},
		{
			propose[1], "dc3c49e01e6c4f9f020100000000000000",
			[]spl.Meta{{Key: s.Multisig}, {Key: proposal, Writable: true}, {Key: creator, Signer: true}, {Key: payer, Signer: true, Writable: true}, {Key: none}},
		},
		{approve, "9025a488bcd82af800", []spl.Meta{{Key: s.Multisig}, {Key: member, Signer: true, Writable: true}, {Key: proposal, Writable: true}}},
		{
			execute, "c208a15799a419ab",
			[]spl.Meta{
				{Key: s.Multisig},
				{Key: proposal, Writable: true},
				{Key: transaction},
				{Key: member, Signer: true},
				{Key: vault},
				{Key: fill(3), Writable: true},
				{Key: fill(4), Writable: true},
				{Key: solana.TokenProgramID},
			},
		},
		{
			spend, "1039827fc1149b8605000000000000000800",
			[]spl.Meta{
				{Key: s.Multisig, Writable: true},
				{Key: member, Signer: true},
				{Key: fill(9), Writable: true},
				{Key: vault, Writable: true},
				{Key: fill(6), Writable: true},
				{Key: s.Program},
				{Key: fill(5)},
				{Key: fill(3), Writable: true},
				{Key: fill(4), Writable: true},
				{Key: solana.TokenProgramID},
			},
		},
	} {
		require.Equal(t, s.Program, row.in.Program)
		require.Equal(t, row.data, hex.EncodeToString(row.in.Data))
		require.Equal(t, row.accounts, row.in.Accounts)
	}
}

func TestSquadsRefused(t *testing.T) {
	s := squads()
	foreign := transferOf(t, s)
	foreign[0].Accounts[2].Key = keyOf("somebody")
	for want, what := range map[string][]spl.Instruction{
		"0 instructions of 0 addresses":        nil,
		"instruction 0 wants the signature of": foreign,
		"has 256 accounts":                     {{Accounts: make([]spl.Meta, 256)}},
		"65536 bytes of data":                  {{Data: make([]byte, 65536)}},
	} {
		_, err := s.Propose(1, 0, keyOf("creator"), keyOf("payer"), what)
		require.ErrorContains(t, err, want)
		_, err = s.Execute(1, 0, keyOf("member"), what)
		require.ErrorContains(t, err, want)
	}
	_, err := s.Spend(spl.Spend{})
	require.ErrorContains(t, err, "Spend.Units is 0")
}
