// Package svmtest runs a local Solana for tests, examples and demonstrations: the real runtime, one process, no network.
//
// # Model
//
// A [Node] is a child process: Node.js with LiteSVM, which is the runtime of the Agave validator (crates 4.3, mainnet's
// features) as a native addon, behind the JSON-RPC and websocket of Solana endpoints. It holds one chain in memory, which
// begins with every [Start]. An [Endpoint] is the condition of one of its addresses, a [Fault] is something that happens to
// calls, an [Action] is what.
//
// Rules of the chain:
//
//   - Blocks come every Config.SlotEvery, or by [Node.Advance] only. A transaction is executed in the newest block at once.
//   - A block is processed, one block later confirmed, 31 blocks later final. Accounts, lists of accounts, statuses,
//     histories and transactions are read as of the level asked for. A blockhash is good for 150 blocks after its own.
//   - A preflight and a simulation run on the newest state, but know only the blockhashes of the level that they ask for.
//   - [Node.Fork] drops blocks with all that was in them. Their slots are skipped. The final block never moves back, and
//     [Node.Stall] makes it stand still. Airdrops and [Node.SetAccount] are dropped like transactions: let what a test needs
//     become final first. Rent, the gate of version 1 and programs of [Node.AddProgram] stay.
//   - What a validator drops is in no block and costs nothing. What fails in a block costs its fee, also where an account or
//     a program could not be loaded. A durable nonce is advanced by a transaction that carries it, failed or not.
//   - Without searchTransactionHistory, statuses older than 300 final blocks are unknown. With Config.KeepBlocks, older
//     transactions are forgotten for good.
//
// Rules of faults:
//
//   - A fault is keyed to the n-th call that matches it, and nothing depends on the wall clock unless SlotEvery is set: the
//     same Config, calls and keys give the same blockhashes, signatures, faults and forks. [Key] makes keys from names.
//   - An endpoint that lags shows the chain as of an older block, and never takes back what it has shown as final.
//   - Methods of this package ask by a door of their own, where nothing lags, fails or is counted.
//
// The process listens on 127.0.0.1 only and ends with whoever started it, however that ended. The first Start on a machine
// installs the child's packages with npm, pinned by a lock file, into the user's cache directory. That needs a package
// registry once, and takes seconds; later starts need none.
//
// # Worked example
//
// A node started at 2026-01-01T00:00:00Z is at height 32 with block 1 final. A transaction sent now is processed in block 32,
// confirmed after Advance(1) and final after Advance(31). The hash of block 32 may be used up to block 182, and not in
// block 183. An empty account costs 128 x 5,080 = 650,240 lamports of rent, a token account (128 + 165) x 5,080 = 1,488,440.
// Fork(3, 2) at height 40 drops blocks 40, 39 and 38 and makes a new block 38; what was in them is tried again in block 40.
//
// # Rounding and errors
//
// Units are base units of the asset and lamports; nothing is rounded. [ErrNoNode] and [ErrNoNPM] say what to install;
// any other error of Start ends with the last lines that the child or npm has printed.
//
// # What it does not do
//
// No leaders, fee market, block limits or lock contention; a transaction that arrives is executed. The gate of SIMD-0290 is
// off. Of encodings there are base64 and base58; a call without one gets base64. An airdrop has a status, but no transaction.
// Features have no accounts. There is no build of the runtime for Windows.
//
// # Sources
//
// LiteSVM 1.5.0 (npm "litesvm"); Solana's RPC documentation; agave 4.3: svm/src/transaction_processor.rs (fees only),
// runtime/src/bank/check_transactions.rs (nonces); rent of 5,080 lamports a byte: SIMD-0437, second step; compute units of
// token instructions: SIMD-0266.
package svmtest
