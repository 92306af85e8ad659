// Package settlement carries decided movements of money to a chain and back, each of them once, and credits what comes in once.
//
// # Model
//
// An [Intent] is one decided movement of one [Asset]: a payment, a refund, a move between own accounts, a burn or a swap. Its
// [IntentID] is derived from its cause, so that deciding twice gives one intent. A [Line] is what one batch carries from one
// account to another: the intents of that pair, summed. A [Batch] is a list of lines that one transaction carries; its
// [BatchID] is its place in an epoch's plan (epoch, lane, index), not its contents. A [Tx] is one signed attempt at a
// batch. Its marker, named by [MarkerID], is an account that the attempt makes before anything else. A [Witness] is what one
// endpoint has said. The [Journal] is the state machine that remembers all of it, a [Chain] is one endpoint through which
// attempts are made, sent and looked for, and the [Runner] walks between the journal and several of them.
//
// A [Recorder] is a journal over a [Store]: an event is durable before its effects are known. A [Memory] is a chain for tests that
// forks, lags and lies when asked to.
//
// Of money that comes in, a [Bill] is a sum asked for, with a [Reference] by which it is found; an [Inflow] is money that has
// come into an account of ours, which a [Treasury] names, and [InflowID] says by which transaction; and the [Till] is the state
// machine that says what each unit of it pays. A card [Processor] is one more source of inflows: its webhooks become events of
// the till by a [CardTreasury], and [CardMemory] stands in for it in tests.
//
// Of conversion, a [Swapper] is a venue, a [SwapQuote] what it promises, a [Market] our own price, and a [SwapPolicy] what may
// be taken. A [Lot] is the bills of an hour, converted in one swap; a [BuyBurn] is revenue that buys tokens to be burned. Both
// are intents for the journal, and books of what became of them: [LotBooks] and [BurnEntry].
//
// [Reconcile] compares the journal with everything that a [Historian] says the payer has done.
//
// Planning:
//
//   - [Plan] is pure: the same intents in any order give the same batches, and no plan under its rules has fewer. The same
//     [Decided] in the same order give the same batches, whatever became of them: a plan that was lost can be made again.
//   - Intents that name the same Bundle share one batch that holds nothing else: they are carried together or not at all. A
//     swap is a batch of its own.
//   - Limits are checked where money is decided: a payment below MinPay waits until its recipient's sum is enough, and what
//     exceeds MaxLine, MaxEpoch or MaxDay is refused whole ([LimitError]). The day's limit does not count in recovery.
//
// Exactly once:
//
//   - An attempt is recorded before it is sent. A repeated send sends the same bytes. What a send answers is no evidence.
//   - The chain itself refuses the second transaction that makes a marker. So of all attempts at a batch at most one carries
//     money, whoever made them and whatever was forgotten or lied about. Everything else here is about knowing which.
//   - Landed, Failed, Expired, Found, Poisoned, Absent and Reclaimed count only if Params.Quorum different endpoints bear
//     witness whose answers do not contradict themselves. An attempt is expired when each of them has seen a final block
//     above its last one, or another value of its nonce. The witnesses stay in the journal, so that each can be checked again.
//   - A marker that exists for no known reason is looked into: [Found] tells which transaction made it and what it carried.
//     That is paid, and nothing else of the batch is. [Poisoned] tells that a stranger was first; then the marker of the next
//     number takes its place. Neither is ever concluded from silence.
//   - A final failure is never repeated unchanged. The lines that it names are refused, and the batch goes on without them as
//     its next revision; in a bundle all lines are refused. If it names none, the batch is stuck until an operator's [Resumed].
//     A swap is planned again first, for another quote is another transaction: every eighth failure leaves it stuck.
//
// The home batch:
//
//   - An intent is in one batch at a time. It leaves it only when that one's marker exists, made by a transaction that is
//     final and does not carry it: before, an attempt that carries it could land. A batch that has lost all its lines is
//     therefore sealed: its transaction makes the marker and nothing else. Refused is told at once, and the batch is in
//     StateRefused when the seal has landed.
//   - [Retried] takes refused lines into the [Overflow] lane of their epoch, as they are. Its batches are opened one after the
//     other: the lane's markers are a log on the chain, and every payer learns the last entry before it adds one. Two lines of
//     an epoch that pay the same to the same recipient are one to the chain: two journals may differ in which of them was
//     carried first, and never in the sum. If one of the two is in a bundle, a journal may be left with [ErrUnexplained], which
//     an operator has to look at: the money is right.
//
// Recovery: a journal that lost events is given [Recovering], and all Decided again ([Runner.Recover] has the procedure). Until
// its marker was found, or was seen absent after the last block in which a lost attempt could land, no batch is signed. The
// Overflow lane of an epoch is probed ([Journal.Probes]) until 64 markers in a row are absent, and refused lines explain what is
// found there. Batches of epochs whose markers may have been reclaimed are not paid by absence but stuck. Attempts with a nonce
// do not expire: every nonce is used up before.
//
// Reclaim: the rent of a marker is taken back when its batch has been closed for Params.ReclaimAfterSeconds, and every attempt
// is over by evidence: an attempt that was beaten by another one, for example, when a final block is above its last one. After
// that the chain no longer refuses a second transaction.
//
// Sleeping payers: a payer that has planned a batch may sleep, or wake up as an old backup of its journal, while another one over
// the same key pays the batch and takes its marker back. So an attempt is signed only in the first half of ReclaimAfterSeconds
// ([Entry].Before) after its marker was last known to be absent ([Entry].Since): when it was decided, or [Absent] since; of the
// Overflow lane, when the first batch of its epoch was. Later, Signed is refused with [ErrUnseen], and the Runner has the marker
// found first: what the other payer did is learnt by its history, which outlives the marker. The argument: a marker that was
// absent at a time is reclaimed a whole ReclaimAfterSeconds later or never; what was signed in the first half has landed, or has
// expired, by then. It needs three things of whoever runs it. Payers of one plan decide at about the same time: one that joins
// late, or gets decisions again that its journal has lost, begins with Recovering. Half of ReclaimAfterSeconds is longer than any
// stall of finality and any difference of clocks, and endpoints are not asked that lag by as much or forget histories that are
// younger than the plan. And while one payer signs with nonces, whose attempts live until they are used up, no other one
// reclaims.
//
// Money that comes in:
//
//   - Every unit of an inflow is in one place: credited to a bill, in a customer's balance, suspended for an operator, kept as too
//     little, owed back to whom it came from, or reversed by a card's bank. [Till.Audit] proves it. An inflow counts once, by
//     transaction and account, and only when it is final; a card payment can be reversed until Inflow.Settles.
//   - Money goes to the bill that it names by one reference. What names several is divided by its transfers, and what they do not
//     tell apart is suspended: it is never credited twice. Too much, too late or a part at expiry goes to the customer's balance
//     or back, by the bill. What is of another asset than it claims, or names nothing, is suspended with its [Doubt].
//   - A bill lapses only after [SeenThrough]: every inflow until its expiry was told of.
//   - A refund is an [Owed] with an intent of its own, derived from the inflow: the journal pays it once, however often it is told.
//     What the journal refuses for good comes back by [RefundRefused].
//
// Conversion:
//
//   - A quote is compared with our own market, from both sides: too little is refused, and so is too much ([QuoteError]). The
//     least that a swap may get is part of its intent, and is enforced by the chain; what it got is what the chain shows.
//   - A lot's proceeds are split over its bills by what they paid. A customer is credited what was promised; what the price moved
//     between goes to the account Moves. Got + Loss = Owed + Gain.
//   - A buy-back burns Least in the transaction of the swap and the rest in a following one. A [SupplyProof] shows the burn by the
//     mint's supply and all burns between.
//
// # States
//
// Of a batch, and of the intents in it:
//
//	                       Rejected
//	                         ┌──┐
//	Decided ─► waiting ─► planned ── Signed ─► signed ── Landed, Found ─► paid; refused, if nothing was carried
//	   │                  ▲ ▲ ▲ ▲               │ │ │ │
//	   │                  │ │ │ └─── Expired ───┘ │ │ └─ Failed on the marker ─► marked ─ Found ─► paid or refused
//	   │                  │ │ └── Failed, a line ─┘ │                             │
//	   │                  │ └──── is named ─────────│───────── Poisoned ──────────┘
//	   │  in recovery     │                         └─ Failed, none is named ─► stuck ─ Resumed ─► planned or unsure
//	   └────► unsure ─────┘ Absent                                               ▲
//	           ▲ │ └─ Found, Landed ─► paid or refused                           │
//	Recovering ┘ └─ Absent, of an epoch too old ─────────────────────────────────┘
//
// Besides: from planned Found leads to paid or refused, and Absent back to planned; a swap that failed for no line's fault is
// planned seven times of eight.
//
// # Worked example
//
// Epoch 7 owes ann 2 and 3 IO and bob 4 IO from the vault. Plan makes one batch, 7/0/0, of two lines: ann 5 IO
// (500,000,000 units, two intents) and bob 4 IO. Prepare finds that bob has no token account: Rejected refuses his line with
// that reason, and revision 1 of 7/0/0 pays ann alone. Its first attempt is lost on the way; after 150 blocks two endpoints
// agree that it has expired, and a second one is signed, which lands: 9 IO decided = 5 paid + 0 open + 4 refused. The marker of
// 7/0/0 exists now, and no attempt can pay bob any more. He makes an account; Retried plans his line as 7/4294967295/0, which
// lands: 9 = 9 + 0 + 0. Six hours later the rent of both markers comes back.
//
// A second payer has slept since epoch 7 was decided, with 7/0/0 planned. A day later the 3 hours are
// over in which it may sign, half of six. Its Runner asks who made the marker of 7/0/0. Two endpoints answer: nothing is there, but the address has a history,
// in which our first transaction paid ann 5. Found says so: 5 paid + 4 refused. Retried plans bob as 7/4294967295/0; the epoch was
// decided a day ago, so that marker is looked for too, and found: 9 = 9 + 0 + 0, and not one unit was paid twice.
//
// # Amounts and errors
//
// Units are whole base units of the asset in a uint64: 10⁻⁸ for IO, 10⁻⁶ for USDC. The journal and the till multiply and divide
// nothing, so nothing is rounded; a sum that does not fit is an error. [SwapPolicy] multiplies by prices through 128 bits and says
// of each result which way it rounds, and a lot is split by tokenomics.Split, to the last unit. At every moment, for every asset:
// decided = paid + open + refused + waiting, and in = credited + balance + suspended + kept + owed + reversed. Journal.Apply
// refuses an event with [ErrTimeBackwards], [ErrConflict], [ErrUnknownBatch], [ErrStale], [ErrUnseen], [ErrQuorum],
// [ErrUnexplained], [ErrLanes], an [*IntentError] or a [*LimitError], and then nothing has changed. [ErrBroken] is the one that
// nobody may ignore: the chain is said to have done what consensus rules out.
//
// # What it does not do
//
// It computes no fee and chooses no price: it gets units. The journal trusts time in two places only, MaxDay and
// ReclaimAfterSeconds; the till takes arrivals by the chain's time. It does not retry a refused line by itself. Reconcile does not
// know what a mint withheld: it tells a balance that has grown by less. It holds no key and speaks to no network: settlement/spl
// does. It never forgets: a journal grows by about 1.1 kB a payout. Intents that wait are not paid out below the minimum at any
// time. A Journal, a Recorder, a Runner, a Till and a Memory are not safe for concurrent use.
//
// # Sources
//
// Life of a blockhash and commitment levels: Solana's documentation of transaction confirmation and expiration. Retrying
// with the same bytes, and signing again only after expiry: the same, "retrying transactions". Refusal of a second marker:
// System program, CreateAccountWithSeed, error Custom(0). Endpoints that answer the slot to getBlockHeight: lifinance sdk #445.
// Payouts made twice after recovery, for want of a fence: elizaOS #10553. Mints: see [IONet].
package settlement
