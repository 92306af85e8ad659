'use strict';
// Token accounts and mints, of both token programs.

const base58 = require('./base58');

const PROGRAMS = ['TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA', 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb'];
const PROGRAM_KEYS = PROGRAMS.map((p) => Buffer.from(base58.decode(p)));

// programOf returns the token program that owns an account, null if none does.
function programOf(account) {
  const owner = account.owner();
  const i = PROGRAM_KEYS.findIndex((k) => k.equals(owner));
  return i < 0 ? null : PROGRAMS[i];
}

// holding reads a token account: {mint, owner, amount, program}, or null if it is none.
function holding(account) {
  if (!account) return null;
  const program = programOf(account);
  const data = Buffer.from(account.data());
  if (!program || !(data.length === 165 || (data.length > 165 && data[165] === 2))) return null;
  return { mint: data.subarray(0, 32), owner: data.subarray(32, 64), amount: data.readBigUInt64LE(64), program };
}

// mint reads a mint: {supply, decimals}, or null if it is none.
function mint(account) {
  if (!account || !programOf(account)) return null;
  const data = Buffer.from(account.data());
  if (data.length < 82 || (data.length > 82 && !(data.length > 165 && data[165] === 1))) return null;
  return { supply: data.readBigUInt64LE(36), decimals: data[44] };
}

// balances lists what the writable token accounts of a transaction hold. Those that are only read cannot change.
function balances(t, accounts) {
  const out = [];
  accounts.forEach((a, i) => {
    const h = holding(a);
    if (h) out.push({ index: t.keys.indexOf(t.writable[i]), ...h });
  });
  return out;
}

// uiAmount is the RPC's way to write an amount.
function uiAmount(units, decimals) {
  const digits = units.toString().padStart(decimals + 1, '0');
  const text = decimals ? `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/\.?0+$/, '') : digits;
  return { amount: units.toString(), decimals, uiAmount: Number(text), uiAmountString: text };
}

module.exports = { PROGRAMS, holding, mint, balances, uiAmount };
