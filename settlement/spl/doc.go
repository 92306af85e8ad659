// Package spl carries batches of settlement to Solana and watches for money that comes in: tokens of SPL Token and Token-2022.
//
// # Model
//
// A [Chain] is one RPC endpoint and the signers to sign with. An account of the core is the address of a wallet; its money is
// in the wallet's associated token account. One batch is one transaction: the marker first, then an instruction a line, in
// the order of the lines, so that the instruction that failed names the line. A batch without lines is the marker alone. An
// [Encoder] writes the bytes; a [Signer] holds a key, or knows who does. A [Converter] is a Chain that also carries swaps, which
// a Swapper such as [Jupiter] or [Pool] quotes and builds. A [Watcher] tells a Till what has arrived.
//
// Paying:
//
//   - Prepare takes all batches at once and reads each account once, at "confirmed", after the blockhash and not before its
//     slot. A recipient that is no wallet, or whose token account is missing, frozen, given away or closed to plain
//     transfers, is a fault of that line; a sender or payer who is short, or a mint with other decimals, is an error of the
//     batch. Batches share what is there, in their order.
//   - A refund may name the token account that paid, if it is not the associated one of its owner, for which the owner's address
//     stands. In the history, too, an account has this one name. No account is made for a refund.
//   - A token of Token-2022 whose mint has an extension that changes a transfer is refused by the extension's name. A transfer
//     fee is accepted with Config.TransferFees only, and then stated to the program, which refuses another one. An account
//     that wants a memo gets one.
//   - The marker is CreateAccountWithSeed over a seed that only the payer can compute, an HMAC of the batch's ID. The
//     System program refuses it the second time, and with it the whole transaction.
//   - With Config.CreateMissing, accounts that are missing are made in transactions of their own before the payment. These
//     move nobody's money and may be repeated; their rent is the payer's, once: an account that existed is not made again.
//   - Look reads height and slot of the newest final block first, in one answer, and everything else as of that slot or later.
//     A missing attempt is dead only beyond its last block, or after its nonce's final value has changed, with no status, no
//     transaction and no marker. A success must have made its marker.
//   - Find tells who made a marker by the first transaction that touched its lamports, and what that one carried by its
//     instructions and balances. A history that lacks a part is no evidence: History proves by the payer's lamports that it is
//     whole, and that each transaction took no others than it tells of.
//   - Send repeats the same bytes, without preflight and without retries by the node.
//   - No error, name or record holds a key, or a part of the endpoint's address but its host.
//
// Formats: [V1] (4,096 bytes, 64 addresses) is what everything is measured in; [V0] with a lookup [Table], and [Legacy], of 1,232
// bytes each, are for clusters without it. [Probe] asks which a cluster accepts, and [Shape] says what fits and what it costs. A
// table's instructions are here, its upkeep is the caller's; swaps are of version 1, whatever the Chain's format is.
//
// Cold keys: a [NonceLane] lends the value of a nonce account to one attempt at a time; it does not expire, so that signatures
// can be collected for days. A [Multisig] of a token program owns the money in its members' names, and a [Process] signs outside of this one. A [Limited]
// signer reads what it is to sign and refuses what is beyond its caps. [Squads] makes the instructions of Squads v4 after its
// source; no binary of it was at hand, and none of them was ever executed here.
//
// Swaps: our instructions stand around the venue's. The proceeds go to a fresh account, and the last instruction takes Least out
// of it, or fails and with it everything. What the venue built is checked before anything is signed, and then simulated, in the
// steps of [GuardError]; what the simulation says is not believed, the last instruction is. What the swap got beyond Least is
// gathered before the wallet pays the next time. The supply's proof tells what was burned, by us and by strangers.
//
// Arrivals: a treasury's history is read in order, with final blocks only, and must lead to what the treasury holds. References
// are found where they stand: in a transfer, in one that a program made, or in one within p-token's batch. The websocket only
// wakes the poller up. What one of our own keys has signed is no arrival.
//
// # Worked example
//
// A batch of 59 lines from the payer's own account is 3,236 bytes, takes 4,634 compute units and costs 5,000 lamports, 84.7
// a line, plus 650,240 lamports of rent that stay in the marker (at 5,080 lamports a byte) until Reclaim takes them back, 31
// markers in a transaction. The 64 addresses of version 1 are payer, marker, sender's account, token program, System program
// and 59 recipients; a payer who does not own the money, a mint of Token-2022, or a memo takes one more.
//
// # Rounding and errors
//
// Units are passed on as they are; compute units are called ComputeUnits. Transfers of SPL Token use Transfer, which needs no
// mint among the addresses: both accounts are of the batch's mint, which the program checks, and Prepare has compared the
// decimals. Token-2022 has TransferChecked, burns are BurnChecked. A transfer fee rounds up, as the program does. Compute units
// and loaded bytes are asked for with a tenth to spare, and what an error message takes besides: a transaction that runs out of
// units does not say why it failed. [ErrNoAccount], [ErrNoMint] and [ErrGap] answer reads, [ErrLimited] and [GuardError] refuse a
// signature; everything else is an error of the endpoint, wrapped once.
//
// # What it does not do
//
// One endpoint, believed: the quorum is the core's, as is which line goes into which batch. A refusal rests on what one
// endpoint said. Prepare makes attempts with a blockhash only; those with a nonce are built by hand, see [NonceLane]. Tokens of
// Token-2022 are not swapped. A line whose recipient's account changes its owner between the look at it and the landing is paid,
// and the history tells another name. This repository's tests never ran it against a public cluster or the real Jupiter:
// they use the real runtime, locally, and answers as Jupiter documents them.
//
// # Sources
//
// Version 1: SIMD-0385 and SIMD-0296; loaded bytes: SIMD-0186; failed transactions without a fee: SIMD-0290. Compute units
// measured in the Agave 4.3 runtime by this package's tests. System program, SPL Token, p-token (batch: its pinocchio
// implementation), Token-2022 (extensions and errors by their numbers in spl-token-2022's ExtensionType and TokenError),
// Associated Token Account and Address Lookup Table: their documentation at solana.com and their sources. Solana Pay:
// docs.solanapay.com/spec. Squads v4: github.com/Squads-Protocol/v4. Jupiter: its documentation of the swap interface.
package spl
