'use strict';
// The chain: blocks, the life of a blockhash, three commitment levels, and the runtime that executes.

const crypto = require('node:crypto');
const svm = require('litesvm/dist/internal.js');
const base58 = require('./base58');
const { invalid, transactionError, DROPPED } = require('./errors');
const token = require('./token');

const MAX_AGE = 150; // blocks for which a blockhash is good
const CONFIRM_LAG = 1; // blocks after which a block is confirmed
const FINAL_LAG = 31; // blocks after which it is final
const KEEP = 2000; // blocks that are remembered; transactions are remembered for ever
const SLOT_SECONDS = 0.4;
const RANK = { processed: 0, confirmed: 1, finalized: 2 };
const SYSTEM = new Uint8Array(32);

class Chain {
  // options: startTime (Unix seconds of the first block), rentPerByte (lamports).
  constructor({ startTime, rentPerByte }) {
    this.runtime = new svm.LiteSvm();
    this.runtime.setBlockhashCheck(false); // it knows the newest hash only: the window is kept here
    this.runtime.setTransactionHistory(0n); // as are the transactions
    this.runtime.setRent(new svm.Rent(BigInt(rentPerByte), 1.0, 50));
    this.startTime = startTime;
    this.firstSlot = Number(this.runtime.getClock().slot);
    this.blocks = new Map(); // height -> {slot, height, hash, time, undo}
    this.heights = new Map(); // blockhash -> height
    this.height = 0;
    this.transactions = new Map(); // signature -> what became of it
    this.byAddress = new Map(); // address -> signatures, oldest first
    this.airdrops = 0;
    for (let i = 0; i <= FINAL_LAG; i++) this.newBlock(); // tip, confirmed and final block differ from the start
  }

  newBlock() {
    const height = ++this.height;
    const slot = this.firstSlot + height - 1;
    this.runtime.expireBlockhash();
    const clock = this.runtime.getClock();
    clock.slot = BigInt(slot);
    clock.unixTimestamp = BigInt(Math.floor(this.startTime + (height - 1) * SLOT_SECONDS));
    clock.epoch = BigInt(Math.floor(slot / 432_000));
    this.runtime.setClock(clock);
    const hash = this.runtime.latestBlockhash();
    this.blocks.set(height, { slot, height, hash, time: Number(clock.unixTimestamp), undo: new Map() });
    this.heights.set(hash, height);
    this.blocks.get(height - FINAL_LAG - 1)?.undo.clear(); // what is final is never read as of an earlier block
    const old = this.blocks.get(height - KEEP);
    if (old) {
      this.blocks.delete(old.height);
      this.heights.delete(old.hash);
    }
  }

  tip() { return this.blocks.get(this.height); }

  // at returns the newest block of a commitment level.
  at(commitment) {
    const lag = commitment === 'processed' ? 0 : commitment === 'confirmed' ? CONFIRM_LAG : FINAL_LAG;
    return this.blocks.get(this.height - lag);
  }

  // good says whether a blockhash may be used as of a block.
  good(hash, height) {
    const born = this.heights.get(hash);
    return born !== undefined && born <= height && height - born <= MAX_AGE;
  }

  lastValid(block) { return block.height + MAX_AGE; }

  // account returns the account as of a commitment level, null if there is none.
  account(address, commitment) {
    const key = keyOf(address);
    const block = this.at(commitment);
    for (let h = block.height + 1; h <= this.height; h++) {
      const before = this.blocks.get(h).undo.get(address);
      if (before !== undefined) return alive(before);
    }
    return alive(this.runtime.getAccount(key));
  }

  // now returns the account as of the tip.
  now(address) { return alive(this.runtime.getAccount(keyOf(address))); }

  // execute puts a transaction into the tip block, unless it is one that a validator drops. It returns {error, logs, units}.
  execute(t) {
    const refused = this.refusal(t);
    if (refused) return refused;
    const keys = t.keys.map(keyOf);
    const block = this.tip();
    const before = t.writable.map((k) => this.runtime.getAccount(keyOf(k)));
    const preBalances = this.lamports(keys);
    const preTokens = token.balances(t, before);
    const result = this.runtime.sendVersionedTransaction(t.raw);
    const failed = result instanceof svm.FailedTransactionMetadata;
    const error = failed ? transactionError(result.err()) : null;
    const meta = failed ? result.meta() : result;
    const outcome = { error, logs: meta.logs(), units: Number(meta.computeUnitsConsumed()) };
    if (typeof error === 'string' && DROPPED.has(error)) return outcome;
    t.writable.forEach((k, i) => { if (!block.undo.has(k)) block.undo.set(k, before[i]); });
    const after = t.writable.map((k) => this.runtime.getAccount(keyOf(k)));
    this.transactions.set(t.signature, {
      ...outcome, transaction: t, slot: block.slot, height: block.height, time: block.time, preBalances, preTokens,
      postBalances: this.lamports(keys), postTokens: token.balances(t, after),
    });
    for (const k of t.keys) {
      const list = this.byAddress.get(k);
      if (list) list.push(t.signature);
      else this.byAddress.set(k, [t.signature]);
    }
    return outcome;
  }

  // simulate executes without a trace.
  simulate(t, verify) {
    const refused = this.refusal(t);
    if (refused) return refused;
    this.runtime.setSigverify(verify);
    let result;
    try {
      result = this.runtime.simulateVersionedTransaction(t.raw);
    } finally {
      this.runtime.setSigverify(true);
    }
    const failed = result instanceof svm.FailedTransactionMetadata;
    const meta = result.meta();
    const accounts = new Map();
    if (!failed) for (const p of result.postAccounts()) accounts.set(base58.encode(p.address), p.account());
    return {
      error: failed ? transactionError(result.err()) : null, logs: meta.logs(), units: Number(meta.computeUnitsConsumed()), accounts,
    };
  }

  // refusal returns the outcome of a transaction that is known already or too old, null for any other.
  refusal(t) {
    if (this.transactions.has(t.signature)) return { error: 'AlreadyProcessed', logs: [], units: 0 };
    if (!this.good(t.blockhash, this.height)) return { error: 'BlockhashNotFound', logs: [], units: 0 };
    return null;
  }

  lamports(keys) { return keys.map((k) => Number(this.runtime.getBalance(k) ?? 0n)); }

  // airdrop makes lamports out of nothing. It returns the signature of a transaction that is in no block's list.
  airdrop(address, lamports) {
    const key = keyOf(address);
    const block = this.tip();
    const old = this.runtime.getAccount(key);
    const sum = (old?.lamports() ?? 0n) + BigInt(lamports);
    if (sum > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('Invalid param: more lamports than JSON numbers can carry');
    this.runtime.setAccount(key, new svm.Account(sum, old?.data() ?? new Uint8Array(0), old?.owner() ?? SYSTEM, false, 0n));
    if (!block.undo.has(address)) block.undo.set(address, old);
    const signature = base58.encode(crypto.createHash('sha512').update(`airdrop ${this.airdrops++}`).digest());
    this.transactions.set(signature, { error: null, slot: block.slot, height: block.height, time: block.time });
    return signature;
  }

  // status returns what getSignatureStatuses says of a signature, null if it is unknown.
  status(signature) {
    const x = this.transactions.get(signature);
    if (!x) return null;
    const level = this.level(x.height);
    return {
      slot: x.slot, confirmations: level === 'finalized' ? null : this.height - x.height, err: x.error,
      status: x.error ? { Err: x.error } : { Ok: null }, confirmationStatus: level,
    };
  }

  level(height) {
    if (height <= this.at('finalized').height) return 'finalized';
    return height <= this.at('confirmed').height ? 'confirmed' : 'processed';
  }

  // reached says whether a transaction is known at a commitment level.
  reached(signature, commitment) {
    const x = this.transactions.get(signature);
    return x !== undefined && RANK[this.level(x.height)] >= RANK[commitment];
  }
}

// keyOf returns the 32 bytes of an address.
function keyOf(address) {
  if (typeof address !== 'string' || address.length > 44) throw invalid('Invalid param: Invalid');
  const key = base58.decode(address);
  if (key === null) throw invalid('Invalid param: Invalid');
  if (key.length !== 32) throw invalid('Invalid param: WrongSize');
  return key;
}

const alive = (a) => (a && (a.lamports() > 0n || a.data().length > 0) ? a : null);

module.exports = { Chain, keyOf };
