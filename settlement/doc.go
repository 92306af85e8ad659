// Package settlement carries decided movements of money to a chain and back, each of them once.
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
// Around these: a Till takes money in, a Lot collects what is converted at once and a Swapper converts it, and Reconcile builds
// the ledger again from what a [Historian] tells.
//
// Planning:
//
//   - [Plan] is pure: the same intents in any order give the same batches, and no plan under its rules has fewer. The same
//     [Decided] in the same order give the same batches, whatever became of them: a plan that was lost can be made again.
//   - Intents that name the same Bundle share one batch that holds nothing else: they are carried together or not at all. A
//     swap is a batch of its own.
//   - Limits are checked where money is decided: a payment below MinPay waits until its recipient's sum is enough, and what
//     exceeds MaxLine, MaxEpoch or MaxDay is refused whole.
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
// Recovery: a journal that lost events is given [Recovering], and all Decided again. Until its marker was found, or was seen
// absent after the last block in which a lost attempt could land, no batch is signed. The Overflow lane of an epoch is probed
// ([Journal.Probes]) until 64 markers in a row are absent, and refused lines explain what is found there. Batches of epochs
// whose markers may have been reclaimed are not paid by absence but stuck.
//
// Reclaim: the rent of a marker is taken back when its batch has been closed for Params.ReclaimAfterSeconds, and every attempt
// is over by evidence: an attempt that was beaten by another one, for example, when a final block is above its last one. After
// that the chain no longer refuses a second transaction. A payer that has not looked at its batches for longer, while another
// one worked on the same plan and reclaimed, has lost events: Recovering is for it, too.
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
// # Worked example
//
// Epoch 7 owes ann 2 and 3 IO and bob 4 IO from the vault. Plan makes one batch, 7/0/0, of two lines: ann 5 IO
// (500,000,000 units, two intents) and bob 4 IO. Prepare finds that bob has no token account: Rejected refuses his line with
// that reason, and revision 1 of 7/0/0 pays ann alone. Its first attempt is lost on the way; after 150 blocks two endpoints
// agree that it has expired, and a second one is signed, which lands: 9 IO decided = 5 paid + 0 open + 4 refused. The marker of
// 7/0/0 exists now, and no attempt can pay bob any more. He makes an account; Retried plans his line as 7/4294967295/0, which
// lands: 9 = 9 + 0 + 0. Six hours later the rent of both markers comes back.
//
// # Amounts and errors
//
// Units are whole base units of the asset in a uint64: 10⁻⁸ for IO, 10⁻⁶ for USDC. Nothing is multiplied or divided
// here, so nothing is rounded; a sum that does not fit is an error. At every moment, for every asset: decided = paid + open +
// refused + waiting. Apply refuses an event with [ErrTimeBackwards], [ErrConflict], [ErrUnknownBatch], [ErrStale], [ErrQuorum],
// [ErrUnexplained], [ErrLanes], an [*IntentError] or a [*LimitError], and then nothing has changed. [ErrBroken] is the one that
// nobody may ignore: the chain is said to have done what consensus rules out.
//
// # What it does not do
//
// It computes no fee and chooses no price: it gets units. It trusts time in two places only, MaxDay and ReclaimAfterSeconds. It
// does not retry a refused line by itself. It never forgets: a journal grows by about 1.1 kB a payout. Intents that wait are not
// paid out below the minimum at any time. A Journal, a Recorder, a Runner and a Memory are not safe for concurrent use.
//
// # Sources
//
// Life of a blockhash and commitment levels: Solana's documentation of transaction confirmation and expiration. Retrying
// with the same bytes, and signing again only after expiry: the same, "retrying transactions". Refusal of a second marker:
// System program, CreateAccountWithSeed, error Custom(0). Endpoints that answer the slot to getBlockHeight: lifinance sdk #445.
// Payouts made twice after recovery, for want of a fence: elizaOS #10553. Mints: see [IONet].
package settlement
