// Package svmtest runs a local Solana for tests, examples and demonstrations: the real runtime, one process, no network.
//
// # Model
//
// A [Node] is a child process: Node.js with LiteSVM, which is the runtime of the Agave validator (crates 4.3, mainnet's
// features) as a native addon, behind the JSON-RPC and websocket of a Solana endpoint. It holds one chain in memory, which
// begins with every [Start].
//
// Rules:
//
//   - Blocks come every Config.SlotEvery, or by [Node.Advance] only. A transaction is executed in the newest block at once.
//   - A block is processed, one block later confirmed, 31 blocks later final. Accounts, statuses and transactions are read
//     as of the level asked for. A blockhash is good for 150 blocks after its own.
//   - The same Config, calls and keys give the same blockhashes, signatures and addresses. [Key] makes keys from names.
//   - The process listens on 127.0.0.1 only and ends with whoever started it, however that ended.
//   - The first Start on a machine installs the child's packages with npm, pinned by a lock file, into the user's cache
//     directory. That needs a package registry once, and takes seconds; later starts need none.
//
// # Worked example
//
// A node started at 2026-01-01T00:00:00Z is at height 32 with block 1 final. A transaction sent now is processed in block 32,
// confirmed after Advance(1) and final after Advance(31). The hash of block 32 may be used up to block 182, and not in
// block 183. An empty account costs 128 x 5,080 = 650,240 lamports of rent, a token account (128 + 165) x 5,080 = 1,488,440.
//
// # Rounding and errors
//
// Units are base units of the asset and lamports; nothing is rounded. [ErrNoNode] and [ErrNoNPM] say what to install;
// any other error of Start ends with the last lines that the child or npm has printed.
//
// # What it does not do
//
// No leaders, forks, fee market, block limits or lock contention; no address lookup tables, durable nonces or inner
// instructions in getTransaction. Transactions are kept for ever. There is no build of the runtime for Windows.
//
// # Sources
//
// LiteSVM 1.5.0 (npm "litesvm"); Solana's RPC documentation; rent of 5,080 lamports a byte: SIMD-0437, second step.
package svmtest
