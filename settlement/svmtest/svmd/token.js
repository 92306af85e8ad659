'use strict';
// Token accounts and mints, of both token programs.

const base58 = require('./base58');

const PROGRAMS = ['TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA', 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb'];

// programOf returns the token program that owns an account, null if none does.
function programOf(account) {
  const owner = base58.address(account.owner());
  return PROGRAMS.includes(owner) ? owner : null;
}

// holding reads a token account: {mint, owner, amount, program}, or null if it is none.
function holding(account) {
  if (!account) return null;
  const program = programOf(account);
  if (!program) return null;
  const data = account.data();
  if (!(data.length === 165 || (data.length > 165 && data[165] === 2))) return null;
  const amount = Buffer.from(data.buffer, data.byteOffset, data.length).readBigUInt64LE(64);
  return { mint: base58.address(data.subarray(0, 32)), owner: base58.address(data.subarray(32, 64)), amount, program };
}

// mint reads a mint: {supply, decimals}, or null if it is none.
function mint(account) {
  if (!account || !programOf(account)) return null;
  const data = Buffer.from(account.data());
  if (data.length < 82 || (data.length > 82 && !(data.length > 165 && data[165] === 1))) return null;
  return { supply: data.readBigUInt64LE(36), decimals: data[44] };
}

// balances lists what those of a transaction's accounts hold that are at the given positions and are token accounts.
function balances(positions, accounts) {
  const out = [];
  for (let i = 0; i < accounts.length; i++) {
    const h = holding(accounts[i]);
    if (h) out.push({ index: positions[i], ...h });
  }
  return out;
}

// uiAmount is the RPC's way to write an amount.
function uiAmount(units, decimals) {
  const digits = units.toString().padStart(decimals + 1, '0');
  const text = decimals ? `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/\.?0+$/, '') : digits;
  return { amount: units.toString(), decimals, uiAmount: Number(text), uiAmountString: text };
}

module.exports = { PROGRAMS, holding, mint, balances, uiAmount };
