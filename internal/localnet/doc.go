// Package localnet is a network with its chain on this machine: the Solana runtime of svmtest, the token with its whole
// supply, dollars, and wallets whose keys follow from their names. The example, the server's demonstration and tests
// stand on it.
//
// All IO that there will ever be, 800,000,000, is minted at the start, and the right to mint is given up: what is not yet
// emitted lies in the reward vault. So the chain itself keeps the cap, emission is what leaves the vault, and a burn is a
// fall of the mint's supply.
package localnet
