package localnet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/internal/localnet"
	"github.com/idlegrid/idlegrid/internal/network"
	"github.com/idlegrid/idlegrid/internal/scene"
	"github.com/idlegrid/idlegrid/settlement"
	"github.com/idlegrid/idlegrid/settlement/svmtest"
	"github.com/idlegrid/idlegrid/tokenomics"
)

const one = tokenomics.UnitsPerToken

var hour = time.Date(2024, 6, 20, 0, 0, 0, 0, time.UTC)

// start starts a chain for the given wallets.
func start(t *testing.T, wallets ...localnet.Wallet) *localnet.Net {
	t.Helper()
	l, err := localnet.Start(t.Context(), localnet.Config{SVM: svmtest.Config{StartTime: hour}, First: 105, Desk: 1000 * one, Wallets: wallets})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// anHour plays the published hour with one machine of ann's and one of a supplier without an account, and a job of eve's.
func anHour(t *testing.T, l *localnet.Net, price uint64) *network.Network {
	t.Helper()
	n, err := network.New(l.Params)
	require.NoError(t, err)
	s, err := scene.New(n.Apply)
	require.NoError(t, err)
	do := func(at time.Time, c network.Command) {
		_, err := n.Apply(at, c)
		require.NoError(t, err)
	}
	joined, machines := hour.Add(-6*time.Hour), []string{"mine", "lost"}
	for i, supplier := range []string{"ann", "nobody"} {
		_, err := s.Join(joined, scene.Machine{
			Name: machines[i], Supplier: supplier, Model: "NVIDIA RTX A4000", Cards: 1, Site: "fra-01", Country: "DE", Connectivity: 4,
			CPUMilli: 1, RAMMiB: 1, HourMicro: 400_000 + uint64(i),
		})
		require.NoError(t, err)
		do(joined, network.Stake{Node: machines[i], Amount: 200 * one})
	}
	do(hour, network.SetPrice{MicroPerToken: price, Source: "test"})
	do(hour, network.Submit{Job: "j", Wallet: string(localnet.Address("eve")), Currency: tokenomics.USDC, Replicas: 1, GPUsPerReplica: 1, Seconds: 3600})
	for _, m := range machines {
		_, err := s.Report(hour.Add(30*time.Minute), m)
		require.NoError(t, err)
	}
	do(hour.Add(time.Hour), network.Tick{})
	return n
}

func settle(t *testing.T, l *localnet.Net, n *network.Network) error {
	t.Helper()
	at := n.Now()
	return l.Settle(t.Context(), n, func(c network.Command) error {
		_, err := n.Apply(at, c)
		return err
	}, func() time.Time { return at })
}

// behind moves money on the chain that no book knows of, and waits until it is final.
func behind(t *testing.T, l *localnet.Net, index uint32, line settlement.Line) {
	t.Helper()
	line.Intents = []settlement.IntentID{{1}}
	made, err := l.Chain.Prepare(t.Context(), []settlement.Batch{{ID: settlement.BatchID{Epoch: 1, Index: index}, Lines: []settlement.Line{line}}})
	require.NoError(t, err)
	require.NoError(t, made[0].Err)
	require.NoError(t, l.Chain.Send(t.Context(), []settlement.Tx{made[0].Tx}))
	require.NoError(t, l.Node.Advance(t.Context(), svmtest.BlocksToFinal+1))
}

func TestBooksEqualTheChain(t *testing.T) {
	l := start(t, localnet.Wallet{Name: "ann", IO: 7}, localnet.Wallet{Name: "eve", USDC: 1_000_000}, localnet.Wallet{Name: "nobody", None: true})
	n := anHour(t, l, 3_500_000)
	before, err := l.Compare(t.Context(), n)
	require.NoError(t, err, "what is decided and not yet paid is still in the vault")
	require.NoError(t, settle(t, l, n))
	require.NoError(t, n.Audit())
	after, err := l.Compare(t.Context(), n)
	require.NoError(t, err)
	require.Len(t, after.Balances, 2*7, "rewards, escrow, treasury, desk, ann, eve and the genesis holders, in IO and USDC")
	require.Greater(t, before.Vault.Chain, after.Vault.Chain)
	require.Greater(t, before.Supply.Chain, after.Supply.Chain, "something was burned")
	require.Equal(t, before.Supply.Chain-after.Supply.Chain, uint64(n.Overview().Burned))
	require.Equal(t, uint64(n.Params().Tokenomics.Cap), before.Supply.Chain)
	require.Equal(t, network.StageDone, n.Bills(1)[0].Stage)
	o := n.Overview()
	require.Equal(t, 1, o.PaymentsError, "the reward of nobody's machine")
	require.Zero(t, o.PaymentsOpen)

	t.Run("other books", func(t *testing.T) {
		_, err := l.Compare(t.Context(), anHour(t, l, 3_500_000))
		require.ErrorContains(t, err, "localnet: rewards of mint "+string(l.Params.IO.Mint)+": the books say")
	})
	t.Run("a payment that the books do not know", func(t *testing.T) {
		escrow, ann := l.Params.Accounts.Escrow, localnet.Address("ann")
		behind(t, l, 0, settlement.Line{Kind: settlement.Pay, Asset: l.Params.IO, From: ann, To: escrow, Units: 5})
		_, err := l.Compare(t.Context(), n)
		require.ErrorContains(t, err, "localnet: escrow of mint "+string(l.Params.IO.Mint)+": the books say 0, the chain 5 base units")
		behind(t, l, 1, settlement.Line{Kind: settlement.Pay, Asset: l.Params.IO, From: escrow, To: ann, Units: 5})
		_, err = l.Compare(t.Context(), n)
		require.NoError(t, err)
	})
	t.Run("dollars out of nothing", func(t *testing.T) {
		require.NoError(t, l.Node.MintTo(t.Context(), svmtest.Key("authority"), l.Params.USDC, localnet.Address("ann"), 3))
		require.NoError(t, l.Node.Advance(t.Context(), svmtest.BlocksToFinal+1))
		_, err := l.Compare(t.Context(), n)
		require.ErrorContains(t, err, "localnet: ann of mint "+string(l.Params.USDC.Mint)+": the books say 0, the chain 3 base units")
		behind(t, l, 2, settlement.Line{Kind: settlement.Burn, Asset: l.Params.USDC, From: localnet.Address("ann"), Units: 3})
	})
	t.Run("nobody can mint IO", func(t *testing.T) {
		require.Error(t, l.Node.MintTo(t.Context(), svmtest.Key("authority"), l.Params.IO, localnet.Address("ann"), 1))
	})
	t.Run("a burn that the books do not know", func(t *testing.T) {
		behind(t, l, 3, settlement.Line{Kind: settlement.Burn, Asset: l.Params.IO, From: localnet.Address("genesis holders"), Units: 1})
		_, err := l.Compare(t.Context(), n)
		require.ErrorContains(t, err, "localnet: genesis holders of mint "+string(l.Params.IO.Mint)+": the books say")
	})
}

// TestPoorRenter has somebody who cannot pay: all others are paid, and Settle says who did not.
func TestPoorRenter(t *testing.T) {
	l := start(t, localnet.Wallet{Name: "ann"}, localnet.Wallet{Name: "eve"}, localnet.Wallet{Name: "nobody", None: true})
	n := anHour(t, l, 3_500_000)
	require.ErrorContains(t, settle(t, l, n), `the sender "`+string(localnet.Address("eve"))+`" holds 0 units`)
	_, err := l.Compare(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, network.StageDue, n.Bills(1)[0].Stage)
	o := n.Overview()
	require.Equal(t, [3]int{1, 1, 1}, [3]int{o.PaymentsOpen, o.PaymentsPaid, o.PaymentsError})
}

func TestStartRefuses(t *testing.T) {
	for _, row := range []struct {
		wallets []localnet.Wallet
		says    string
	}{
		{[]localnet.Wallet{{Name: "ann"}, {Name: "ann"}}, `wallet "ann" stands twice`},
		{[]localnet.Wallet{{Name: "escrow"}}, `wallet "escrow" stands twice`},
		{[]localnet.Wallet{{Name: "payer"}}, `wallet "payer" stands twice`},
		{[]localnet.Wallet{{Name: "rich", IO: 800_000_000 * one}}, "wallets hold more than the cap"},
	} {
		l, err := localnet.Start(t.Context(), localnet.Config{First: 105, Wallets: row.wallets})
		require.ErrorContains(t, err, row.says)
		require.Nil(t, l)
	}
	_, err := localnet.Start(t.Context(), localnet.Config{})
	require.ErrorContains(t, err, "first")
}
