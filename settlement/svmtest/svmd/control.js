'use strict';
// What no cluster has: blocks on demand, forks, faults, accounts out of nothing.

const svm = require('litesvm/dist/internal.js');
const base58 = require('./base58');
const { invalid } = require('./errors');
const { keyOf } = require('./chain');
const { ACTIONS } = require('./faults');
const token = require('./token');
const { View } = require('./view');

const MAX_RENT = 1_000_000; // lamports per byte: 10 MiB of it stay below 2^53

function whole(n, low, high, what) {
  if (!Number.isSafeInteger(n) || n < low || n > high) throw invalid(`Invalid param: ${what}, ${low} to ${high}`);
  return n;
}

const bool = (x, what) => {
  if (typeof x !== 'boolean') throw invalid(`Invalid param: ${what}, true or false`);
  return x;
};

function accountOf(x) {
  whole(x?.lamports, 0, Number.MAX_SAFE_INTEGER, 'lamports');
  if (typeof x.data !== 'string') throw invalid('Invalid param: data in base64');
  keyOf(x.address);
  const owner = keyOf(x.owner === '' ? '1'.repeat(32) : x.owner);
  return [x.address, new svm.Account(BigInt(x.lamports), Buffer.from(x.data, 'base64'), owner, x.executable === true, 0n)];
}

// control returns the methods of a server.
function control(server) {
  const { chain, faults, endpoints } = server;
  return {
    svm_advance: ([n]) => {
      whole(n, 0, 1_000_000, 'blocks');
      for (let i = 0; i < n; i++) server.newBlock();
      server.tell();
      return chain.tip().slot;
    },
    svm_fork: ([depth, replay]) => {
      whole(depth, 0, Number.MAX_SAFE_INTEGER, 'depth');
      whole(replay, Number.MIN_SAFE_INTEGER, 1_000_000, 'replay');
      for (const e of endpoints) new View(chain, e); // notes what each has shown as final
      const dropped = chain.fork(depth, replay);
      server.forked();
      server.tell();
      return dropped;
    },
    svm_stall: ([on]) => { chain.stalled = bool(on, 'on'); },
    svm_setRent: ([n]) => chain.setRent(whole(n, 1, MAX_RENT, 'lamports per byte')),
    svm_setV1: ([on]) => { chain.v1 = bool(on, 'accepted'); },
    svm_inject: ([list]) => {
      for (const f of list) if (!Object.hasOwn(ACTIONS, f.do)) throw invalid(`Invalid param: action ${String(f.do)}`);
      faults.add(list);
    },
    svm_clearFaults: () => faults.clear(),
    svm_setEndpoint: ([i, e]) => endpoints[whole(i, 0, endpoints.length - 1, 'endpoint')].set(e),
    svm_setAccounts: ([list]) => {
      for (const [address, account] of list.map(accountOf)) chain.set(address, account);
      server.tell();
    },
    svm_account: ([k]) => {
      const a = chain.now(k);
      return a && {
        address: k, lamports: Number(a.lamports()), owner: base58.address(a.owner()), data: Buffer.from(a.data()).toString('base64'),
        executable: a.executable(),
      };
    },
    svm_tokens: ([list]) => {
      const out = Buffer.alloc(8 * list.length);
      list.forEach((k, i) => out.writeBigUInt64LE(token.holding(chain.now(k))?.amount ?? 0n, 8 * i));
      return out.toString('base64');
    },
    svm_addProgram: ([k, elf]) => {
      if (typeof elf !== 'string') throw invalid('Invalid param: program in base64');
      chain.runtime.addProgram(keyOf(k), Buffer.from(elf, 'base64'));
    },
    svm_stats: () => ({
      Height: chain.height, FinalHeight: chain.root, Slot: chain.tip().slot, Transactions: chain.counts.transactions,
      Failed: chain.counts.failed, Forks: chain.counts.forks, InFlight: chain.inFlight.length, Remembered: chain.transactions.size,
      Calls: server.calls, Faults: faults.done,
    }),
  };
}

module.exports = { control, MAX_RENT };
