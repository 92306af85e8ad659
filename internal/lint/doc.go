// Package lint holds the rules of the house as code: which package may import which, what a core may not do, how long a
// file and a function may be, and what has to be documented and shown in an example.
//
// [Check] reads a checkout and returns what breaks a rule, in the order of file and line. The rules are those of
// docs/design/house.md; each violation names its rule. The test of this package runs them over the repository, and
// plants one violation of every rule in a copy to see that it is found.
package lint
