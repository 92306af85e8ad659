// Package spl carries batches of settlement to Solana: SPL tokens, in transactions of version 1.
//
// # Model
//
// A [Chain] is one RPC endpoint and the keys to sign with. An account of the core is the address of a wallet; its money is
// in the wallet's associated token account. One batch is one transaction: the marker first, then an instruction a line, in
// the order of the lines, so that the instruction that failed names the line.
//
// Rules:
//
//   - Prepare surveys all accounts at "confirmed" before it signs. A recipient whose token account is missing, frozen or
//     given away is a fault of that line; a sender who is short, or a mint with other decimals, is an error of the batch.
//   - The marker is CreateAccountWithSeed over a seed that only the payer can compute, an HMAC of the batch's ID. The
//     System program refuses it the second time, and with it the whole transaction.
//   - With Config.CreateMissing, accounts that are missing are made in transactions of their own before the payment. These
//     move nobody's money and may be repeated; their rent is the payer's.
//   - Look reads height and slot of the newest final block first. An answer from an older slot is an error, not evidence.
//     A missing attempt is dead only beyond its last block, with no status, no transaction and no marker.
//   - Send repeats the same bytes, without preflight and without retries by the endpoint.
//
// # Worked example
//
// A batch of 59 lines from the payer's own account is 3,236 bytes, takes 4,634 compute units and costs 5,000 lamports, 84.7
// a line, plus 650,240 lamports of rent that stay in the marker (at 5,080 lamports a byte). The 64 addresses of version 1
// are payer, marker, sender's account, token program, System program and 59 recipients; a payer who does not own the money
// takes one more, and a batch 58 lines.
//
// # Rounding and errors
//
// Units are passed on as they are. Transfers use the token program's Transfer, which needs no mint among the addresses:
// both accounts are of the batch's mint, which the token program checks, and Prepare has compared the decimals. Burns use
// BurnChecked. [ErrNoAccount] and [ErrNoMint] answer reads; everything else is an error of the endpoint, wrapped once.
//
// # What it does not do
//
// One endpoint, believed: no quorum. No Token-2022, lookup tables, durable nonces, multisig, memo or older formats. It does
// not take markers' rent back. It decides nothing: which line goes into which batch is the core's.
//
// # Sources
//
// Version 1: SIMD-0385 and SIMD-0296. Compute units measured in the Agave 4.3 runtime by this package's tests. System program,
// SPL Token and Associated Token Account: their documentation at solana.com.
package spl
