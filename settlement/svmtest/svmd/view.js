'use strict';
// A view is the chain as one endpoint shows it: as of a block that may lie behind the tip.

const { invalid, RpcError } = require('./errors');
const { CONFIRM_LAG } = require('./chain');

const LEVELS = ['processed', 'confirmed', 'finalized'];
const STATUS_CACHE = 300; // final blocks whose statuses are known without a search of the history: MAX_CACHE_ENTRIES of agave

// Endpoint is the standing condition of an endpoint, and what it has shown.
class Endpoint {
  constructor(index) {
    this.index = index;
    this.set({});
    this.replies = new Map(); // method -> text of the last answer
  }

  set({ lag = 0, slotAsHeight = false, forgetStatuses = false, forgetTransactions = false, refuseMinContextSlot = false }) {
    Object.assign(this, { lag, slotAsHeight, forgetStatuses, forgetTransactions, refuseMinContextSlot });
    this.root = 1; // the highest final block that it has shown: a fork does not take it back
  }
}

class View {
  // extra is by how many blocks the view is behind its endpoint, for one answer.
  constructor(chain, endpoint, extra = 0) {
    this.chain = chain;
    this.endpoint = endpoint;
    const height = Math.max(chain.known(), chain.height - endpoint.lag - extra);
    const root = chain.blocks.get(height).root;
    if (extra === 0) endpoint.root = Math.max(endpoint.root, root);
    this.root = Math.max(extra === 0 ? endpoint.root : root, chain.known());
    this.height = Math.max(height, this.root);
  }

  tip() { return this.chain.blocks.get(this.height); }

  heightOf(level) {
    if (level === 'processed') return this.height;
    return level === 'confirmed' ? Math.max(this.root, this.height - CONFIRM_LAG) : this.root;
  }

  at(level) { return this.chain.blocks.get(this.heightOf(level)); }

  account(address, level) { return this.chain.account(address, this.heightOf(level)); }

  owned(program, level) { return this.chain.owned(program, this.heightOf(level)); }

  // levelOf is the level that a block has reached, null if it is not in sight.
  levelOf(height) {
    if (height <= this.root) return 'finalized';
    if (height <= this.heightOf('confirmed')) return 'confirmed';
    return height <= this.height ? 'processed' : null;
  }

  // record returns what became of a transaction, null if it has not reached the level.
  record(signature, level) {
    const x = this.chain.transactions.get(signature);
    return x !== undefined && x.height <= this.heightOf(level) ? x : null;
  }

  // status returns what getSignatureStatuses says of a signature, null if it is unknown.
  status(signature, search) {
    const x = this.record(signature, 'processed');
    if (!x || (!search && x.height < this.root - STATUS_CACHE)) return null;
    const level = this.levelOf(x.height);
    return {
      slot: x.slot, confirmations: level === 'finalized' ? null : this.height - x.height, err: x.error,
      status: x.error ? { Err: x.error } : { Ok: null }, confirmationStatus: level,
    };
  }

  // history yields the records of an address that have reached a level, newest first.
  * history(address, level) {
    const list = this.chain.byAddress.get(address);
    if (!list) return;
    const height = this.heightOf(level);
    for (let i = list.records.length - 1; i >= list.gone; i--) if (list.records[i].height <= height) yield list.records[i];
  }
}

// levelOf reads the commitment of a call's configuration.
function levelOf(config) {
  const c = config?.commitment ?? 'finalized';
  if (!LEVELS.includes(c)) throw invalid(`Invalid param: commitment ${String(c)}`);
  return c;
}

// historic is levelOf for what does not know the level processed.
function historic(config) {
  if (levelOf(config) === 'processed') throw invalid('Method does not support commitment below `confirmed`');
  return levelOf(config);
}

// reach refuses a call whose minContextSlot lies above a block.
function reach(config, block) {
  if (config?.minContextSlot > block.slot) {
    throw new RpcError(-32016, 'Minimum context slot has not been reached', { contextSlot: block.slot });
  }
  return block;
}

module.exports = { Endpoint, View, LEVELS, levelOf, historic, reach };
