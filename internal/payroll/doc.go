// Package payroll sets the stage of a payday: a local chain with a token, a vault that holds an hour's emission, many suppliers
// with token accounts, and three who cannot be paid.
package payroll
