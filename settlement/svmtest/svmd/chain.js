'use strict';
// The chain: blocks, forks, the life of a blockhash, and accounts as of any block that is not too old.

const svm = require('litesvm/dist/internal.js');
const base58 = require('./base58');
const { invalid } = require('./errors');
const execute = require('./execute');

const MAX_AGE = 150; // blocks for which a blockhash is good
const CONFIRM_LAG = 1; // blocks after which a block is confirmed
const FINAL_LAG = 31; // blocks after which it is final
const BEHIND = 600; // blocks behind the tip that a view can be: an endpoint's lag and a stale answer, 300 each
const KEEP = 2000; // final blocks that are remembered at least
const SLOT_SECONDS = 0.4;
const SYSTEM = new Uint8Array(32);
const SYSVARS = 'Sysvar1111111111111111111111111111111111111';

class Chain {
  // options: startTime (Unix seconds of the first block), rentPerByte (lamports), keepBlocks (final blocks of which
  // transactions are remembered, 0: all).
  constructor({ startTime, rentPerByte, keepBlocks }) {
    this.runtime = new svm.LiteSvm();
    this.runtime.setBlockhashCheck(false); // it knows the newest hash only: the window is kept here
    this.runtime.setTransactionHistory(0n); // as are the transactions
    this.setRent(rentPerByte);
    this.startTime = startTime;
    this.keepBlocks = keepBlocks;
    this.keep = Math.max(KEEP, keepBlocks + 1);
    this.firstSlot = Number(this.runtime.getClock().slot);
    this.slot = this.firstSlot - 1; // no slot is used twice, even after a fork
    this.height = 0;
    this.root = 0; // height of the newest final block: it never goes back
    this.stalled = false;
    this.v1 = true; // whether transactions of version 1 are accepted
    this.blocks = new Map(); // height -> {slot, height, hash, time, root, undo, transactions}
    this.heights = new Map(); // blockhash -> height
    this.transactions = new Map(); // signature -> record
    this.byAddress = new Map(); // address -> {records, oldest first, and how many of them are gone}
    this.inFlight = []; // {height, transaction}: what will be tried in a later block
    this.airdrops = 0;
    this.counts = { transactions: 0, failed: 0, forks: 0 };
    this.oldestUndo = 1;
    this.oldestBlock = 1;
    this.oldestRecord = 1;
    this.slotHashes = 0; // slot as of which the runtime's list of slot hashes was set
    for (let i = 0; i <= FINAL_LAG; i++) this.newBlock(); // tip, confirmed and final block differ from the start
  }

  // newBlock adds a block and executes what arrives in it.
  newBlock() {
    const height = ++this.height;
    const slot = ++this.slot;
    this.runtime.expireBlockhash();
    const clock = this.runtime.getClock();
    clock.slot = BigInt(slot);
    clock.unixTimestamp = BigInt(Math.floor(this.startTime + (slot - this.firstSlot) * SLOT_SECONDS));
    clock.epoch = BigInt(Math.floor(slot / 432_000));
    this.runtime.setClock(clock);
    const hash = this.runtime.latestBlockhash();
    if (!this.stalled) this.root = Math.max(this.root, height - FINAL_LAG, 1);
    this.blocks.set(height, { slot, height, hash, time: Number(clock.unixTimestamp), root: this.root, undo: null, transactions: [] });
    this.heights.set(hash, height);
    this.forget();
    if (this.inFlight.length > 0) this.land();
  }

  // land executes what is due, in the order in which it was sent.
  land() {
    const due = this.inFlight.filter((x) => x.height <= this.height);
    this.inFlight = this.inFlight.filter((x) => x.height > this.height);
    for (const x of due) this.execute(x.transaction);
  }

  // later puts a transaction into flight: it is tried blocks after the tip.
  later(transaction, blocks) { this.inFlight.push({ height: this.height + blocks, transaction }); }

  // forget drops what lies too far behind the final block.
  forget() {
    const final = this.blocks.get(Math.max(this.oldestBlock, this.height - BEHIND)).root; // to the view that is furthest behind
    for (; this.oldestUndo <= final; this.oldestUndo++) this.blocks.get(this.oldestUndo).undo = null;
    if (this.keepBlocks > 0) {
      for (; this.oldestRecord <= this.root - this.keepBlocks; this.oldestRecord++) {
        const block = this.blocks.get(this.oldestRecord);
        for (const x of block.transactions) this.prune(x);
        block.transactions = [];
      }
    }
    for (; this.oldestBlock <= Math.min(this.root - this.keep, final - 1); this.oldestBlock++) {
      this.heights.delete(this.blocks.get(this.oldestBlock).hash);
      this.blocks.delete(this.oldestBlock);
    }
  }

  // prune forgets one of the oldest transactions: it is the oldest of each of its addresses.
  prune(x) {
    this.transactions.delete(x.signature);
    for (const k of x.keys) {
      const list = this.byAddress.get(k);
      list.gone++;
      if (list.gone === list.records.length) this.byAddress.delete(k);
      else if (list.gone >= 1024 && list.gone * 2 > list.records.length) {
        list.records.splice(0, list.gone);
        list.gone = 0;
      }
    }
  }

  // fork drops the newest blocks, depth at most and no final one, and makes a new one in the place of the first of them.
  // It returns the signatures that were in them, oldest first. Their transactions are tried again replay blocks after the
  // new block, never if replay is negative.
  fork(depth, replay) {
    const dropped = [];
    for (let n = Math.min(depth, this.height - this.root); n > 0; n--) dropped.unshift(this.dropBlock());
    this.counts.forks++;
    const records = dropped.flat();
    const again = records.filter((x) => x.transaction !== null).map((x) => x.transaction);
    for (const t of replay < 0 ? [] : again) this.later(t, replay + 1);
    this.newBlock();
    return records.map((x) => x.signature);
  }

  // dropBlock undoes the tip and returns its records.
  dropBlock() {
    const block = this.tip();
    for (const [address, before] of block.undo ?? []) {
      this.runtime.setAccount(keyOf(address), before ?? new svm.Account(0n, new Uint8Array(0), SYSTEM, false, 0n));
    }
    for (const x of block.transactions.toReversed()) {
      this.transactions.delete(x.signature);
      for (const k of x.keys) this.byAddress.get(k).records.pop();
    }
    this.heights.delete(block.hash);
    this.blocks.delete(block.height);
    this.height--;
    return block.transactions;
  }

  tip() { return this.blocks.get(this.height); }

  // good says whether a blockhash may be used in the block of a height.
  good(hash, height) {
    const born = this.heights.get(hash);
    return born !== undefined && born <= height && height - born <= MAX_AGE;
  }

  lastValid(block) { return block.height + MAX_AGE; }

  setRent(perByte) { this.runtime.setRent(new svm.Rent(BigInt(perByte), 1.0, 50)); }

  // known is the lowest height as of which accounts are still known.
  known() { return Math.max(1, this.oldestUndo - 1); }

  // account returns the account as of the block of a height, known() at least, or null if there is none.
  account(address, height) {
    const key = keyOf(address);
    for (let h = height + 1; h <= this.height; h++) {
      const undo = this.blocks.get(h).undo;
      if (undo?.has(address)) return alive(undo.get(address));
    }
    return alive(this.runtime.getAccount(key));
  }

  // owned lists [address, account] of all accounts of a program as of the block of a height, in no order that means anything.
  owned(program, height) {
    const past = new Map();
    for (let h = this.height; h > height; h--) {
      for (const [address, before] of this.blocks.get(h).undo ?? []) past.set(address, before);
    }
    const out = [];
    for (const x of this.runtime.getProgramAccounts(keyOf(program))) {
      const address = base58.address(x.address);
      if (!past.has(address)) out.push([address, x.account()]);
    }
    for (const [address, a] of past) if (a && base58.address(a.owner()) === program) out.push([address, a]);
    return out.filter(([, a]) => alive(a)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  // now returns the account as of the tip.
  now(address) { return alive(this.runtime.getAccount(keyOf(address))); }

  // set puts an account into the tip block, whatever was there.
  set(address, account) {
    const key = keyOf(address);
    const before = this.runtime.getAccount(key);
    this.runtime.setAccount(key, account);
    this.remember(address, before);
  }

  // remember notes what an account was before the tip block. Programs and sysvars are not to be put back by a fork.
  remember(address, before) {
    if (before && (before.executable() || base58.address(before.owner()) === SYSVARS)) return;
    const block = this.tip();
    block.undo ??= new Map();
    if (!block.undo.has(address)) block.undo.set(address, before);
  }

  // record keeps what became of a transaction in the tip block.
  record(x) {
    const block = this.tip();
    Object.assign(x, { slot: block.slot, height: block.height, time: block.time, order: this.counts.transactions++ });
    if (x.error) this.counts.failed++;
    this.transactions.set(x.signature, x);
    block.transactions.push(x);
    for (const k of x.keys) {
      const list = this.byAddress.get(k);
      if (list) list.records.push(x);
      else this.byAddress.set(k, { records: [x], gone: 0 });
    }
  }

  execute(t) { return execute.execute(this, t); }

  simulate(t, options) { return execute.simulate(this, t, options); }

  // airdrop makes lamports out of nothing. It returns the signature of a transaction that nobody signed.
  airdrop(address, lamports) {
    const old = this.runtime.getAccount(keyOf(address));
    const sum = (old?.lamports() ?? 0n) + BigInt(lamports);
    if (sum > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('Invalid param: more lamports than JSON numbers can carry');
    this.set(address, new svm.Account(sum, old?.data() ?? new Uint8Array(0), old?.owner() ?? SYSTEM, false, 0n));
    const signature = execute.airdropSignature(this.airdrops++);
    this.record({ signature, transaction: null, error: null, keys: [], memo: null });
    return signature;
  }
}

// keyOf returns the 32 bytes of an address.
function keyOf(address) {
  if (typeof address !== 'string' || address.length > 44) throw invalid('Invalid param: Invalid');
  const key = base58.key(address);
  if (key === null) throw invalid('Invalid param: Invalid');
  if (key.length !== 32) throw invalid('Invalid param: WrongSize');
  return key;
}

const alive = (a) => (a && (a.lamports() > 0n || a.data().length > 0) ? a : null);

module.exports = { Chain, keyOf, CONFIRM_LAG, FINAL_LAG };
