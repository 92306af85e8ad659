// Package settlement carries decided movements of money to a chain and back, each of them once.
//
// # Model
//
// An [Intent] is one decided movement of one [Asset]: a payment, a move between own accounts, or a burn. Its [IntentID]
// is derived from its cause, so that deciding twice gives one intent. A [Line] is what one batch carries from one
// account to another: the intents of that pair, summed. A [Batch] is a list of lines that one transaction carries; its
// [BatchID] is its place in an epoch's plan (epoch, lane, index), not its contents. A [Tx] is one signed attempt at a
// batch. The [Journal] is the state machine that remembers all of it, the [Chain] is what the attempts are sent to, and
// the [Runner] walks between the two.
//
// Rules:
//
//   - [Plan] is pure: the same intents in any order give the same batches. Intents are summed by kind, asset, sender and
//     recipient, sorted, and cut into batches of at most Params.MaxLines lines of one asset and sender.
//   - Intents that name the same Bundle share one batch that holds nothing else: they are carried together or not at all.
//   - An attempt is recorded before it is sent. A repeated send sends the same bytes. What a send answers is no evidence.
//   - A batch is paid when one of its attempts is final and successful. A new attempt is made only after the last one is
//     dead: final and failed, or expired, which is said only of an attempt that the chain does not know after the last
//     block in which it could land, and whose marker does not exist.
//   - The marker is an account that at most one attempt of a batch can create, whichever journal or endpoint was wrong:
//     the chain itself refuses the second one.
//   - A final failure is never repeated unchanged. If it, or the chain's Prepare, names the lines at fault, these are
//     refused with the reason and the batch goes on without them as its next revision; in a bundle all lines are refused.
//     If it names none, the batch is stuck until an operator's [Resumed].
//
// # States
//
//	            Rejected: the next revision, or Refused when no line is left
//	             ┌──┐
//	Decided ─► Planned ── Signed ─► Signed ── Landed ─► Paid
//	             ▲ ▲                 │ │ │
//	             │ └──── Expired ────┘ │ └── Failed, no line named ─► Stuck
//	             └── Failed, line named ┘                              │
//	             ▲                                                     │
//	             └───────────────────── Resumed ───────────────────────┘
//
// # Worked example
//
// Epoch 7 owes ann 2 and 3 IO and bob 4 IO from the vault. Plan makes one batch, 7/0/0, of two lines: ann 5 IO
// (500,000,000 units, two intents) and bob 4 IO. Prepare finds that bob has no token account: Rejected refuses his line with
// that reason, and revision 1 of 7/0/0 pays ann alone. Its first attempt is lost on the way; after 150 blocks it has expired
// and a second one is signed, which lands: 9 IO decided = 5 paid + 0 open + 4 refused.
//
// # Amounts and errors
//
// Units are whole base units of the asset in a uint64: 10⁻⁸ for IO, 10⁻⁶ for USDC. Nothing is multiplied or divided
// here, so nothing is rounded; a sum that does not fit is an error. Apply refuses an event with [ErrTimeBackwards],
// [ErrConflict], [ErrUnknownBatch], [ErrStale] or an [*IntentError] that names the field, and then nothing has changed.
//
// # What it does not do
//
// It computes no fee and chooses no price: it gets units. It does not trust more than one endpoint, does not recover from
// the loss of the journal, and does not take back the rent of markers. A refused line is not tried again: who still wants
// to pay it decides a new intent, from a new cause. A Journal, a Recorder, a Runner and a Memory are not safe for
// concurrent use.
//
// # Sources
//
// Life of a blockhash and commitment levels: Solana's documentation of transaction confirmation and expiration. Retrying
// with the same bytes, and signing again only after expiry: the same, "retrying transactions". Refusal of a second marker:
// System program, CreateAccountWithSeed, error Custom(0). Mints: see [IONet].
package settlement
