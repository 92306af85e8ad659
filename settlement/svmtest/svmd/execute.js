'use strict';
// Execution: what a validator does around the runtime. LiteSVM knows the newest blockhash only, derives the next nonce from
// the message's own blockhash, forgets to advance the nonce of a transaction that fails, and takes no fee from one whose
// accounts cannot be loaded.

const crypto = require('node:crypto');
const svm = require('litesvm/dist/internal.js');
const base58 = require('./base58');
const { transactionError, DROPPED, FEES_ONLY } = require('./errors');
const token = require('./token');
const { memo } = require('./transaction');

const SYSTEM = '11111111111111111111111111111111';
const TABLES = 'AddressLookupTab1e1111111111111111111111111';
const TABLE_HEAD = 56; // bytes before a lookup table's addresses
const NONCE_SIZE = 80; // version u32, state u32, authority, value, lamports per signature
const NONCE_VALUE = 40;
const ADVANCE_NONCE = 4; // the system program's instruction
const SLOT_HASHES = 512;

// execute puts a transaction into the tip block, unless it is one that a validator drops. It returns {error, logs, units}.
function execute(chain, t) {
  const loaded = load(chain, t);
  const refused = refusal(chain, t, loaded, chain.height);
  if (refused) return refused;
  const { keys, bytes, writable } = loaded;
  const runtime = chain.runtime;
  const before = writable.map((i) => runtime.getAccount(bytes[i]));
  const preBalances = bytes.map((k) => Number(runtime.getBalance(k) ?? 0n));
  const nonce = nonceOf(chain, t, loaded);
  const result = runtime.sendVersionedTransaction(t.raw);
  const failed = result instanceof svm.FailedTransactionMetadata;
  const error = failed ? errorOf(runtime, t, result) : null;
  const meta = failed ? result.meta() : result;
  const outcome = { error, logs: meta.logs(), units: Number(meta.computeUnitsConsumed()) };
  if (FEES_ONLY.has(error)) charge(runtime, bytes[0], BigInt(t.fee));
  const postBalances = bytes.map((k, i) => (i === 0 ? Number(runtime.getBalance(k) ?? 0n) : 0));
  if (failed && (DROPPED.has(error) || postBalances[0] === preBalances[0])) return outcome; // what has paid no fee is in no block
  fixNonces(chain, t, loaded, before, failed ? nonce : null);
  const after = writable.map((i) => runtime.getAccount(bytes[i]));
  for (let i = 1; i < bytes.length; i++) postBalances[i] = preBalances[i];
  writable.forEach((k, i) => {
    postBalances[k] = Number(after[i]?.lamports() ?? 0n);
    chain.remember(keys[k], before[i]);
  });
  chain.record({
    ...outcome, signature: t.signature, transaction: t, memo: memo(t), keys, loaded: loaded.addresses, preBalances, postBalances,
    preTokens: token.balances(writable, before), postTokens: token.balances(writable, after),
    inner: inner(meta, outcome.logs), returned: returned(meta),
  });
  return outcome;
}

// errorOf returns the error of a transaction. LiteSVM has one name for a program that is missing and for one that is none.
function errorOf(runtime, t, result) {
  const error = transactionError(result.err());
  if (error !== 'InvalidProgramForExecution') return error;
  return t.instructions.every((x) => runtime.getBalance(t.keyBytes[x.program])) ? error : 'ProgramAccountNotFound';
}

// charge takes the fee of a transaction that could not be loaded from its payer, unless that cannot pay it.
function charge(runtime, key, fee) {
  const payer = runtime.getAccount(key);
  const left = (payer?.lamports() ?? 0n) - fee;
  if (left < 0n || (left > 0n && left < runtime.minimumBalanceForRentExemption(BigInt(payer.data().length)))) return;
  runtime.setAccount(key, new svm.Account(left, payer.data(), payer.owner(), payer.executable(), payer.rentEpoch()));
}

// simulate executes without a trace, with signatures checked or not. The blockhash has to be good as of a block, by height.
function simulate(chain, t, { verify, height }) {
  const loaded = load(chain, t);
  const refused = refusal(chain, t, loaded, height);
  if (refused) return refused;
  chain.runtime.setSigverify(verify);
  let result;
  try {
    result = chain.runtime.simulateVersionedTransaction(t.raw);
  } finally {
    chain.runtime.setSigverify(true);
  }
  const failed = result instanceof svm.FailedTransactionMetadata;
  const meta = result.meta();
  const accounts = new Map();
  if (!failed) for (const p of result.postAccounts()) accounts.set(base58.address(p.address), p.account());
  const logs = meta.logs();
  return {
    error: failed ? errorOf(chain.runtime, t, result) : null, logs, units: Number(meta.computeUnitsConsumed()), accounts,
    inner: inner(meta, logs), returned: returned(meta),
  };
}

// load resolves the lookup tables of a transaction as of the tip. It returns {keys, bytes, writable, addresses}: all its
// addresses, the positions of those that it may change, and those that came from tables. An error is a name instead.
function load(chain, t) {
  const out = { keys: t.keys, bytes: t.keyBytes, writable: t.writable, addresses: { writable: [], readonly: [] }, error: null };
  if (t.lookups.length > 0 || t.keys.includes(TABLES)) setSlotHashes(chain);
  if (t.lookups.length === 0) return out;
  for (const l of t.lookups) {
    const table = chain.runtime.getAccount(base58.key(l.table));
    if (!table || table.lamports() === 0n) return { ...out, error: 'AddressLookupTableNotFound' };
    if (base58.address(table.owner()) !== TABLES) return { ...out, error: 'InvalidAddressLookupTableOwner' };
    const data = table.data();
    if (data.length < TABLE_HEAD) return { ...out, error: 'InvalidAddressLookupTableData' };
    for (const kind of ['writable', 'readonly']) {
      for (const i of l[kind]) {
        const at = TABLE_HEAD + 32 * i;
        if (at + 32 > data.length) return { ...out, error: 'InvalidAddressLookupTableIndex' };
        out.addresses[kind].push(base58.address(data.subarray(at, at + 32)));
      }
    }
  }
  const { writable, readonly } = out.addresses;
  out.keys = [...t.keys, ...writable, ...readonly];
  out.bytes = out.keys.map(base58.key);
  out.writable = [...t.writable, ...writable.map((_, i) => t.keys.length + i)];
  return out;
}

// refusal returns the outcome of a transaction that does not get as far as the runtime, null for any other.
function refusal(chain, t, loaded, height) {
  const none = { logs: [], units: 0 };
  if (t.version === 1 && !chain.v1) return { error: 'UnsupportedVersion', ...none };
  if (chain.transactions.has(t.signature)) return { error: 'AlreadyProcessed', ...none };
  if (loaded.error) return { error: loaded.error, ...none };
  if (new Set(loaded.keys).size !== loaded.keys.length) return { error: 'AccountLoadedTwice', ...none };
  if (!chain.good(t.blockhash, height) && !nonceOf(chain, t, loaded)) return { error: 'BlockhashNotFound', ...none };
  return null;
}

// nonceOf returns the position of the nonce account that a transaction uses in place of a blockhash, as a validator decides
// (agave, runtime/src/bank/check_transactions.rs), or null: its first instruction advances an account that it may change,
// whose value is the transaction's blockhash and has not been advanced in this block, and whose authority signs.
function nonceOf(chain, t, loaded) {
  if (chain.heights.has(t.blockhash)) return null;
  const x = t.instructions[0];
  if (!x || t.keys[x.program] !== SYSTEM || x.data.length < 4 || x.data.readUInt32LE(0) !== ADVANCE_NONCE) return null;
  const at = x.accounts[0];
  if (at === undefined || !loaded.writable.includes(at)) return null;
  const nonce = nonceState(chain.runtime.getAccount(loaded.bytes[at]));
  if (!nonce || nonce.value !== t.blockhash || nonce.value === base58.encode(nextNonce(chain))) return null;
  const signs = [...x.accounts].some((a) => a < t.header[0] && t.keys[a] === nonce.authority);
  return signs ? at : null;
}

// nonceState reads a nonce account that is set up: {value, authority}, or null if it is none.
function nonceState(account) {
  if (!account || base58.address(account.owner()) !== SYSTEM) return null;
  const data = Buffer.from(account.data());
  if (data.length !== NONCE_SIZE || data.readUInt32LE(0) !== 1 || data.readUInt32LE(4) !== 1) return null;
  return { authority: base58.address(data.subarray(8, 40)), value: base58.encode(data.subarray(NONCE_VALUE, NONCE_VALUE + 32)), data };
}

// nextNonce is the value that a nonce advanced in the tip block gets.
function nextNonce(chain) {
  return crypto.createHash('sha256').update('DURABLE_NONCE').update(base58.decode(chain.tip().hash)).digest();
}

// fixNonces gives every nonce that was advanced the value of this block, and advances the one that a failed transaction
// used: failed is its position, or null.
function fixNonces(chain, t, loaded, before, failed) {
  loaded.writable.forEach((at, i) => {
    const now = chain.runtime.getAccount(loaded.bytes[at]);
    if (!now || now.data().length !== NONCE_SIZE) return;
    const nonce = nonceState(now);
    if (!nonce || (at !== failed && nonceState(before[i])?.value === nonce.value)) return;
    nextNonce(chain).copy(nonce.data, NONCE_VALUE);
    chain.runtime.setAccount(loaded.bytes[at], new svm.Account(now.lamports(), nonce.data, now.owner(), false, now.rentEpoch()));
  });
}

// setSlotHashes tells the runtime the newest slots. Only lookup tables need them: it is done before they are used.
function setSlotHashes(chain) {
  const tip = chain.tip();
  if (chain.slotHashes === tip.slot) return;
  chain.slotHashes = tip.slot;
  const out = [];
  for (let h = tip.height - 1; h > 0 && out.length < SLOT_HASHES && chain.blocks.has(h); h--) {
    const b = chain.blocks.get(h);
    out.push({ slot: BigInt(b.slot), hash: b.hash });
  }
  chain.runtime.setSlotHashes(out);
}

// inner lists the instructions that programs have called, by the instruction of the message, as getTransaction has them.
function inner(meta, logs) {
  if (!logs.some((l) => l.endsWith(' invoke [2]') || l === 'Log truncated')) return [];
  const out = [];
  meta.innerInstructions().forEach((list, index) => {
    if (list.length === 0) return;
    const instructions = list.map((x) => {
      const i = x.instruction();
      return {
        programIdIndex: i.programIdIndex(), accounts: [...i.accounts()], data: base58.encode(i.data()), stackHeight: x.stackHeight(),
      };
    });
    out.push({ index, instructions });
  });
  return out;
}

// returned is the data that the last program has returned, null if there is none.
function returned(meta) {
  const r = meta.returnData();
  const data = r.data();
  return data.length > 0 ? { programId: base58.address(r.programId()), data: [Buffer.from(data).toString('base64'), 'base64'] } : null;
}

const airdropSignature = (n) => base58.encode(crypto.createHash('sha512').update(`airdrop ${n}`).digest());

module.exports = { execute, simulate, airdropSignature };
