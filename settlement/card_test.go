package settlement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/idlegrid/idlegrid/settlement"
)

const (
	oldSecret = "whsec_of_last_year_of_the_test"
	newSecret = "whsec_of_this_year_of_the_test"
)

func webhookKeys(t testing.TB, secrets ...string) settlement.WebhookKeys {
	t.Helper()
	var raw [][]byte
	for _, s := range secrets {
		raw = append(raw, []byte(s))
	}
	k, err := settlement.NewWebhookKeys(300, raw...)
	require.NoError(t, err)
	return k
}

func cardTreasury() settlement.CardTreasury {
	return settlement.CardTreasury{Treasury: tillParams().Treasuries[2], Currency: "usd", ChargebackSeconds: 120 * 86_400}
}

// TestStripesExample verifies a header that was computed apart from this package, with openssl:
//
//	printf '1492774577.{"a":1}' | openssl dgst -sha256 -hmac whsec_of_this_year_of_the_test
func TestStripesExample(t *testing.T) {
	const mac = "6a3133dfb219dd5ec6940081b6375501444cf46ae2aa0e437a72cce18eee14de"
	k := webhookKeys(t, newSecret)
	at := time.Unix(1492774577, 0)
	require.NoError(t, k.Verify(at, "t=1492774577,v1="+mac+",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39", []byte(`{"a":1}`)))
	require.Equal(t, "t=1492774577,v1="+mac, k.Sign(at, []byte(`{"a":1}`)))
}

func TestWebhook(t *testing.T) {
	body := []byte(`{"id":"evt_1"}`)
	now := webhookKeys(t, newSecret, oldSecret)
	good := now.Sign(noon, body)
	mac := strings.TrimPrefix(good, fmt.Sprintf("t=%d,v1=", noon.Unix()))
	old := webhookKeys(t, oldSecret).Sign(noon, body)
	for _, row := range []struct {
		name   string
		at     time.Time
		header string
		body   string
		want   error
	}{
		{"signed now", noon, good, string(body), nil},
		{"signed with the secret before", noon, old, string(body), nil},
		{"one right signature of several", noon, strings.Replace(good, ",", ",v1=00,v1="+strings.Repeat("ab", 32)+",v0=x,", 1), string(body), nil},
		{"with spaces", noon, strings.Replace(good, ",", ", ", 1), string(body), nil},
		{"as old as allowed", noon.Add(300 * time.Second), good, string(body), nil},
		{"a second older", noon.Add(301 * time.Second), good, string(body), settlement.ErrWebhookTime},
		{"as far ahead as allowed", noon.Add(-300 * time.Second), good, string(body), nil},
		{"a second further", noon.Add(-301 * time.Second), good, string(body), settlement.ErrWebhookTime},
		{"a year old", noon.AddDate(1, 0, 0), good, string(body), settlement.ErrWebhookTime},
		{"a stranger's", noon, webhookKeys(t, "whsec_of_a_stranger").Sign(noon, body), string(body), settlement.ErrWebhookSignature},
		{"another body", noon, good, `{"id":"evt_2"}`, settlement.ErrWebhookSignature},
		{"another time", noon, fmt.Sprintf("t=%d,v1=%s", noon.Unix()+1, mac), string(body), settlement.ErrWebhookSignature},
		{"a signature too short", noon, good[:len(good)-2], string(body), settlement.ErrWebhookSignature},
		{"no hexadecimal", noon, fmt.Sprintf("t=%d,v1=zz", noon.Unix()), string(body), settlement.ErrWebhookSignature},
		{"of another scheme only", noon, strings.Replace(good, "v1", "v0", 1), string(body), settlement.ErrWebhookMalformed},
		{"nothing", noon, "", string(body), settlement.ErrWebhookMalformed},
		{"no time", noon, "v1=" + mac, string(body), settlement.ErrWebhookMalformed},
		{"two times", noon, "t=1," + good, string(body), settlement.ErrWebhookMalformed},
		{"a time that is none", noon, "t=x,v1=" + mac, string(body), settlement.ErrWebhookMalformed},
		{"a time with a zero in front", noon, fmt.Sprintf("t=0%d,v1=%s", noon.Unix(), mac), string(body), settlement.ErrWebhookMalformed},
		{"a time below zero", noon, "t=-5,v1=" + mac, string(body), settlement.ErrWebhookMalformed},
		{"a time beyond 64 bits", noon, "t=99999999999999999999,v1=" + mac, string(body), settlement.ErrWebhookMalformed},
		{"an item without =", noon, good + ",x", string(body), settlement.ErrWebhookMalformed},
		{"an endless header", noon, good + strings.Repeat(",v1=00", 1000), string(body), settlement.ErrWebhookMalformed},
		{"an endless body", noon, good, strings.Repeat(" ", 1<<20+1), settlement.ErrWebhookMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := now.Verify(row.at, row.header, []byte(row.body))
			require.ErrorIs(t, err, row.want)
			if err != nil {
				require.NotContains(t, err.Error(), "whsec")
			}
		})
	}
	require.ErrorIs(t, settlement.WebhookKeys{}.Verify(noon, settlement.WebhookKeys{}.Sign(noon, body), body), settlement.ErrWebhookSignature, "no keys, no entry")
}

func TestWebhookKeysHide(t *testing.T) {
	k := webhookKeys(t, newSecret, oldSecret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.Equal(t, "2 webhook keys", fmt.Sprintf(verb, k))
	}
	for says, err := range map[string]error{
		"tolerance is 0 s":     second(settlement.NewWebhookKeys(0, []byte(newSecret))),
		"tolerance is 86401 s": second(settlement.NewWebhookKeys(86_401, []byte(newSecret))),
		"no secret":            second(settlement.NewWebhookKeys(300)),
		"secret 1 has 5 bytes": second(settlement.NewWebhookKeys(300, []byte(newSecret), []byte("whsec"))),
	} {
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "whsec")
	}
}

func second[T any](_ T, err error) error { return err }

// TestCard pays a bill by card through signed webhooks, told several times, charges a part back, and refunds a surplus.
func TestCard(t *testing.T) {
	till := newTill(t)
	p, err := settlement.NewCardMemory(cardTreasury(), webhookKeys(t, newSecret))
	require.NoError(t, err)
	b := bill("a")
	b.Asset, b.Owner, b.RefundOver = cents, "stripe", 0
	tell(t, till, settlement.BillOpened{Bill: b})
	url, err := p.Checkout(t.Context(), b)
	require.NoError(t, err)

	name, hook := p.Pay(noon, url, 40)
	events, err := p.Events(noon, hook.Signature, hook.Body)
	require.NoError(t, err)
	require.Equal(t, "credited a with 25 of ch_1, lacks 0, not final\nowed 15 of ch_1 to card:ch_1 for \"a\"", tell(t, till, events...))
	again, err := p.Events(noon.Add(time.Minute), hook.Signature, hook.Body)
	require.NoError(t, err)
	require.Empty(t, tell(t, till, again...), "a replay within the tolerance is taken once")
	_, err = p.Events(noon.Add(301*time.Second), hook.Signature, hook.Body)
	require.ErrorIs(t, err, settlement.ErrWebhookTime, "and later refused")

	for o := range till.Refunds() {
		require.NoError(t, p.Refund(t.Context(), o.Intent))
		require.NoError(t, p.Refund(t.Context(), o.Intent), "once")
		other := o.Intent
		other.Units++
		require.ErrorIs(t, p.Refund(t.Context(), other), settlement.ErrConflict)
		other.ID[0]++
		other.Units = 26
		require.ErrorIs(t, p.Refund(t.Context(), other), settlement.ErrFunds)
		other.To = "card:ch_2"
		require.ErrorContains(t, p.Refund(t.Context(), other), "is of no charge")
	}
	require.EqualValues(t, 15, p.Refunded(name))
	require.Zero(t, p.Refunded("ch_9"))

	_, err = p.ChargeBack(noon, name, 26)
	require.ErrorIs(t, err, settlement.ErrFunds)
	_, err = p.ChargeBack(noon, "ch_9", 1)
	require.ErrorContains(t, err, `no charge "ch_9"`)
	hook, err = p.ChargeBack(noon, name, 10)
	require.NoError(t, err)
	events, err = p.Events(noon, hook.Signature, hook.Body)
	require.NoError(t, err)
	require.Equal(t, `reversed 10 of ch_1, bill "a", customer ""`, tell(t, till, events...))
	require.Empty(t, tell(t, till, events...))
	require.Equal(t, settlement.TillTotals{In: 40, Credited: 15, Owed: 15, Reversed: 10}, till.Totals(cents))

	b.Asset = dollars
	_, err = p.Checkout(t.Context(), b)
	require.ErrorContains(t, err, "not of this treasury")
	_, err = settlement.NewCardMemory(cardTreasury(), settlement.WebhookKeys{})
	require.ErrorContains(t, err, "no secret")
	_, err = settlement.NewCardMemory(settlement.CardTreasury{}, webhookKeys(t, newSecret))
	require.ErrorContains(t, err, "card treasury: Treasury")
}

func TestCardEvents(t *testing.T) {
	object := func(kind, object string) string {
		return fmt.Sprintf(`{"id":"evt_1","type":%q,"created":1767268800,"livemode":true,"data":{"object":{%s}}}`, kind, object)
	}
	charge := `"id":"ch_1","object":"charge","amount":2500,"currency":"usd","created":1767268740,"metadata":{"reference":"` + strings.Repeat("ab", 32) + `"}`
	dispute := `"id":"dp_1","charge":"ch_1","amount":2500,"currency":"usd","created":1767268790`
	mine := tillParams().Treasuries[2]
	in := settlement.Inflow{
		ID: settlement.InflowID{Tx: "ch_1", Account: "card"}, Owner: "stripe", Asset: mine.Asset, Units: 2500, Payer: "card:ch_1",
		Arrived: time.Unix(1767268740, 0).UTC(), Settles: time.Unix(1767268740+120*86_400, 0).UTC(),
		Refs: []settlement.Reference{settlement.Reference([]byte(strings.Repeat("\xab", 32)))},
	}
	won := settlement.Inflow{
		ID: settlement.InflowID{Tx: "dp_1", Account: "card"}, Owner: "stripe", Asset: mine.Asset, Units: 2500, Arrived: time.Unix(1767268800, 0).UTC(),
	}
	for _, row := range []struct {
		name, body string
		want       []settlement.TillEvent
	}{
		{"a charge", object("charge.succeeded", charge), []settlement.TillEvent{settlement.InflowSeen{Inflow: in}}},
		{"a dispute", object("charge.dispute.created", dispute), []settlement.TillEvent{settlement.InflowReversed{Inflow: in.ID, Cause: "dp_1", Units: 2500}}},
		{"a dispute that was won", object("charge.dispute.closed", dispute+`,"status":"won"`), []settlement.TillEvent{settlement.InflowSeen{Inflow: won}}},
		{"a dispute that was lost", object("charge.dispute.closed", dispute+`,"status":"lost"`), nil},
		{"something else", object("customer.created", `"id":"cus_1"`), nil},
	} {
		got, err := cardTreasury().Events([]byte(row.body))
		require.NoError(t, err, row.name)
		require.Equal(t, row.want, got, row.name)
	}
	for says, body := range map[string]string{
		"invalid character":                `x`,
		"unexpected end":                   `{"id":"evt_1"`,
		`id is "", type is ""`:             `{}`,
		"amount":                           object("charge.succeeded", `"amount":25.5`),
		"cannot unmarshal number -1":       object("charge.succeeded", `"amount":-1`),
		"amount is 0":                      object("charge.succeeded", strings.Replace(charge, "2500", "0", 1)),
		`currency is "eur", want "usd"`:    object("charge.succeeded", strings.Replace(charge, "usd", "eur", 1)),
		"object id has 0 bytes":            object("charge.succeeded", strings.Replace(charge, "ch_1", "", 1)),
		"created is 0":                     object("charge.succeeded", strings.Replace(charge, "1767268740", "0", 1)),
		"charge has 0 bytes":               object("charge.dispute.created", strings.Replace(dispute, "ch_1", "", 1)),
		`metadata reference is "ab"`:       object("charge.succeeded", strings.Replace(charge, strings.Repeat("ab", 32), "ab", 1)),
		"want 64 hexadecimal digits":       object("charge.succeeded", strings.Replace(charge, "ab", "xy", 1)),
		"cannot unmarshal number 1e":       object("charge.succeeded", strings.Replace(charge, "2500", "1e30", 1)),
		"into Go struct field .data.objec": object("charge.succeeded", strings.Replace(charge, "2500", `"2500"`, 1)),
	} {
		_, err := cardTreasury().Events([]byte(body))
		require.ErrorIs(t, err, settlement.ErrCardEvent, says)
		require.ErrorContains(t, err, says)
	}
	for says, change := range map[string]func(c *settlement.CardTreasury){
		"Treasury has account":   func(c *settlement.CardTreasury) { c.Treasury.Account = "" },
		"Currency is empty":      func(c *settlement.CardTreasury) { c.Currency = "" },
		"ChargebackSeconds is 0": func(c *settlement.CardTreasury) { c.ChargebackSeconds = 0 },
	} {
		c := cardTreasury()
		change(&c)
		require.ErrorContains(t, c.Validate(), says)
		_, err := c.Events([]byte("{}"))
		require.ErrorContains(t, err, says)
	}
}

// FuzzCardEvents: no body panics, and what comes out of one is an event that a till takes or refuses, but never breaks on.
func FuzzCardEvents(f *testing.F) {
	f.Add([]byte(`{"id":"e","type":"charge.succeeded","created":1,"data":{"object":{"id":"c","amount":1,"currency":"usd","created":1}}}`))
	f.Add([]byte(`{"id":"e","type":"charge.dispute.created","created":1,"data":{"object":{"id":"c","charge":"x","amount":1,"currency":"usd","created":1}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := cardTreasury().Events(body)
		if err != nil {
			require.ErrorIs(t, err, settlement.ErrCardEvent)
		}
		till := newTill(t)
		for _, e := range events {
			_, _ = till.Apply(noon, e)
			require.NoError(t, till.Audit())
		}
	})
}

// FuzzWebhook: no header panics, and none that was not signed is accepted.
func FuzzWebhook(f *testing.F) {
	f.Add("t=1767268800,v1=00", []byte("x"))
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		k := webhookKeys(t, newSecret)
		require.Error(t, k.Verify(noon, header, body))
		require.NoError(t, k.Verify(noon, k.Sign(noon, body), body))
	})
}
