// Package onchain is a distributor from which recipients fetch what they are owed: unaudited, for devnet only. It is an option
// beside the batches of package settlement, which need no program of our own.
//
// # Model
//
// A distributor is a program's [State], a ledger, and a vault of one token. Once an epoch its authority sets one root over all
// recipients, whatever their number: each leaf is a token account and the total of all it was ever owed. Anybody may claim for
// a recipient: the program checks the leaf's [Proof] and moves the total less what the ledger says was paid. A [Tree] makes
// roots and proofs, a [Distributor] makes instructions, [Program] returns the program.
//
// # Rules
//
// A leaf is sha256(0, index u32, account, total u64), a node is sha256(1, left, right), numbers are little endian; a tree has
// 2^depth leaves, of which those that are not used are 32 zeros. An index belongs to one account for ever and a total never
// shrinks: [Tree.Follows] says whether a new tree keeps to that, and the chain cannot know. So a claim may wait any number of
// epochs, a claim by an old root pays less and never more, and nothing is paid twice.
//
// A root waits for the distributor's delay, in slots, before it counts; until then it may be replaced. Its sum may exceed the
// active root's by at most the cap, and is never less. As a root has to be active before the next one is set upon it, sums grow
// by at most the cap a delay, whoever has the authority's key. All claims together never pay more than the active sum, even of a
// tree whose leaves come to more. Put no more than the sum into the vault: nothing but claims takes it out again.
//
// Authority or guardian may pause, which stops claims and keeps a waiting root from becoming active; both together resume. They
// are two keys. What waits when a distributor is resumed counts from then on if its time has come.
//
// The program takes exactly the accounts of each instruction, in their order, none twice. State and ledger are its own, the
// ledger is bound to one state, the vault belongs to an address derived from program and state ([VaultAuthority]), has neither
// delegate nor close authority, and is one of the SPL Token program: no other token program is called.
//
// # Example
//
// 10,000 recipients: depth 14. Root 1 says 1,000 for the account at index 7; a claim pays 1,000. Root 2 says 2,500; the claim
// pays 1,500. The same again is refused with [NothingDue]. A root costs its authority one signature, 5,000 lamports: 0.5 for
// each recipient. State and ledger of 8 bytes a recipient are rent: (128 + 40 + 80,000) bytes times the rate, which has to be
// asked of the chain; at 5,080 lamports 40,725 for each recipient, once. A claim costs its sender 5,000 lamports.
//
// # Rounding and errors
//
// Whole base units, no rounding. The program refuses with a [Code]; nothing is half done, because a refused transaction changes
// nothing. Functions refuse with errors that name the field and its limit.
//
// # What it does not do
//
// No accounts are made and nothing is signed or sent: an [Instruction] is data. There is no way to withdraw from the vault, to
// change keys, delay or cap, to enlarge the ledger, or to close state and ledger. Token-2022 is not supported.
//
// # Sources
//
// Agave's sdk C ABI (sol_invoke_signed_c and the serialized input of loader v3); SIMD-0178, 0189 and 0377 for the file's format;
// spl-token's Transfer; RFC 6962 for leaves and nodes that cannot be taken for each other. Others' designs: Jito's and
// Jupiter's merkle-distributor make a distributor per epoch and an account per claimant.
package onchain
