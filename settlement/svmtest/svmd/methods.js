'use strict';
// The JSON-RPC methods of a cluster. Each takes the params and the view that they are asked through, and returns the
// result or throws an RpcError.

const base58 = require('./base58');
const encode = require('./encode');
const { contextAt } = encode;
const { RpcError, invalid, describe } = require('./errors');
const { keyOf } = require('./chain');
const token = require('./token');
const { levelOf, historic, reach } = require('./view');

const SLOTS_PER_EPOCH = 432_000;
const IDENTITY = base58.encode(Buffer.alloc(32, 2));
const MAX_ROWS = 1000; // of getSignaturesForAddress
const MAX_RANGE = 500_000; // slots of getBlocks
const LARGEST = 20; // rows of getTokenLargestAccounts

const block = (view, config) => reach(config, view.at(levelOf(config)));
const withContext = (view, config, value) => contextAt(block(view, config), value);
const account = (view, address, config) => encode.account(view.account(address, levelOf(config)), config);

function list(x, max) {
  if (!Array.isArray(x) || x.length > max) throw invalid(`Invalid param: want a list of at most ${max}`);
  return x;
}

const clock = {
  getHealth: () => 'ok',
  getVersion: () => ({ 'solana-core': encode.VERSION, 'feature-set': 0 }),
  getGenesisHash: () => base58.encode(Buffer.alloc(32, 1)),
  getIdentity: () => ({ identity: IDENTITY }),
  getSlotLeader: () => IDENTITY,
  getSlot: ([c], view) => block(view, c).slot,
  getBlockHeight: ([c], view) => {
    const b = block(view, c);
    return view.endpoint.slotAsHeight ? b.slot : b.height;
  },
  getTransactionCount: (_, { chain }) => chain.counts.transactions,
  getEpochSchedule: () => ({
    firstNormalEpoch: 0, firstNormalSlot: 0, leaderScheduleSlotOffset: SLOTS_PER_EPOCH, slotsPerEpoch: SLOTS_PER_EPOCH, warmup: false,
  }),
  getEpochInfo: ([c], view) => {
    const b = block(view, c);
    return {
      absoluteSlot: b.slot, blockHeight: view.endpoint.slotAsHeight ? b.slot : b.height, epoch: Math.floor(b.slot / SLOTS_PER_EPOCH),
      slotIndex: b.slot % SLOTS_PER_EPOCH, slotsInEpoch: SLOTS_PER_EPOCH, transactionCount: view.chain.counts.transactions,
    };
  },
  getLatestBlockhash: ([c], view) => {
    const b = block(view, c);
    return contextAt(b, { blockhash: b.hash, lastValidBlockHeight: view.chain.lastValid(b) });
  },
  isBlockhashValid: ([hash, c], view) => withContext(view, c, view.chain.good(hash, block(view, c).height)),
};

const accounts = {
  getBalance: ([k, c], view) => withContext(view, c, Number(view.account(k, levelOf(c))?.lamports() ?? 0n)),
  getAccountInfo: ([k, c], view) => withContext(view, c, account(view, k, c)),
  getMultipleAccounts: ([ks, c], view) => withContext(view, c, list(ks, 100).map((k) => account(view, k, c))),
  getProgramAccounts: ([program, c], view) => {
    const out = [];
    for (const [pubkey, a] of view.owned(program, levelOf(c))) {
      if (encode.matches(a.data(), c?.filters ?? [])) out.push({ pubkey, account: encode.account(a, c) });
    }
    return c?.withContext ? withContext(view, c, out) : (block(view, c), out);
  },
  getTokenAccountBalance: ([k, c], view) => {
    const h = token.holding(view.account(k, levelOf(c)));
    if (!h) throw invalid('Invalid param: could not find account');
    return withContext(view, c, token.uiAmount(h.amount, mint(view, h.mint, c).decimals));
  },
  getTokenSupply: ([k, c], view) => {
    const m = mint(view, k, c);
    return withContext(view, c, token.uiAmount(m.supply, m.decimals));
  },
  getTokenLargestAccounts: ([k, c], view) => {
    const { decimals } = mint(view, k, c);
    const all = holdings(view, token.PROGRAMS, c, (h) => h.mint === k).sort((a, b) => Number(b.h.amount - a.h.amount));
    return withContext(view, c, all.slice(0, LARGEST).map((x) => ({ address: x.address, ...token.uiAmount(x.h.amount, decimals) })));
  },
  getTokenAccountsByOwner: ([owner, filter, c], view) => {
    keyOf(owner);
    if (!filter?.mint && !filter?.programId) throw invalid('Invalid param: want a mint or a programId');
    const programs = filter.programId ? token.PROGRAMS.filter((p) => p === filter.programId) : token.PROGRAMS;
    const all = holdings(view, programs, c, (h) => h.owner === owner && (!filter.mint || h.mint === filter.mint));
    return withContext(view, c, all.map((x) => ({ pubkey: x.address, account: encode.account(x.account, c) })));
  },
  getMinimumBalanceForRentExemption: ([n], { chain }) => {
    if (!Number.isSafeInteger(n) || n < 0 || n > 10_485_760) throw invalid('Invalid param: length of data');
    return Number(chain.runtime.minimumBalanceForRentExemption(BigInt(n)));
  },
};

function mint(view, address, config) {
  const m = token.mint(view.account(address, levelOf(config)));
  if (!m) throw invalid('Invalid param: could not find mint');
  return m;
}

// holdings lists {address, account, h} of the token accounts that pass, by address.
function holdings(view, programs, config, pass) {
  const out = [];
  for (const program of programs) {
    for (const [address, a] of view.owned(program, levelOf(config))) {
      const h = token.holding(a);
      if (h && pass(h)) out.push({ address, account: a, h });
    }
  }
  return out;
}

const sending = {
  requestAirdrop: ([k, lamports], { chain }) => {
    if (!Number.isSafeInteger(lamports) || lamports < 0) throw invalid('Invalid param: lamports');
    return chain.airdrop(k, lamports);
  },
  getFeeForMessage: ([message, c], view) => {
    const raw = Buffer.from(String(message), 'base64');
    const v1 = raw[0] === 0x81;
    const signers = Math.min(v1 || raw[0] & 128 ? raw[1] ?? 0 : raw[0] ?? 0, 12);
    const signatures = Buffer.alloc(64 * signers);
    const whole = v1 ? Buffer.concat([raw, signatures]) : Buffer.concat([Buffer.from([signers]), signatures, raw]);
    const t = encode.transaction(whole.toString('base64'), { encoding: 'base64' });
    return withContext(view, c, view.chain.good(t.blockhash, block(view, c).height) ? t.fee : null);
  },
  getRecentPrioritizationFees: (_, view) => {
    const out = [];
    for (let h = Math.max(view.height - 149, view.chain.oldestBlock); h <= view.height; h++) {
      out.push({ slot: view.chain.blocks.get(h).slot, prioritizationFee: 0 });
    }
    return out;
  },
  simulateTransaction: ([text, c], view) => {
    let t = accepted(view, encode.transaction(text, c));
    const as = block(view, c);
    if (c?.replaceRecentBlockhash) {
      if (c.sigVerify) throw invalid('Invalid param: sigVerify may not be used with replaceRecentBlockhash');
      const raw = Buffer.from(t.raw);
      raw.set(base58.decode(as.hash), raw.indexOf(base58.decode(t.blockhash)));
      t = encode.transaction(raw.toString('base64'), { encoding: 'base64' });
    }
    const r = view.chain.simulate(t, { verify: c?.sigVerify === true, height: as.height });
    if (c?.sigVerify && r.error === 'SignatureFailure') throw new RpcError(-32003, 'Transaction signature verification failure');
    const wanted = c?.accounts ? list(c.accounts.addresses, 64) : null;
    return contextAt(as, {
      err: r.error, logs: r.logs, unitsConsumed: r.units, returnData: r.returned ?? null,
      innerInstructions: c?.innerInstructions ? r.inner ?? [] : null,
      accounts: wanted && wanted.map((k) => encode.account(r.accounts?.get(k) ?? view.chain.now(k), c.accounts)),
    });
  },
  // sendTransaction hands on what it has accepted to deliver, which is the network between it and the leader.
  sendTransaction: ([text, c], view, deliver) => {
    const t = accepted(view, encode.transaction(text, c));
    reach(c, view.tip());
    if (!c?.skipPreflight) preflight(view, t, view.at(levelOf({ commitment: c?.preflightCommitment })));
    deliver(t);
    return t.signature;
  },
};

// accepted refuses a transaction of a version that the cluster does not know.
function accepted(view, t) {
  if (t.version === 1 && !view.chain.v1) throw invalid('invalid transaction: Transaction version is unsupported');
  return t;
}

// preflight refuses a transaction that would fail, as sendTransaction does unless it is told to skip it.
function preflight(view, t, as) {
  const r = view.chain.simulate(t, { verify: true, height: as.height });
  if (r.error === null) return;
  if (r.error === 'SignatureFailure') throw new RpcError(-32003, 'Transaction signature verification failure');
  throw new RpcError(-32002, `Transaction simulation failed: ${describe(r.error)}`, {
    err: r.error, logs: r.logs, accounts: null, unitsConsumed: r.units, returnData: null,
  });
}

const history = {
  getSignatureStatuses: ([signatures, c], view) => {
    const b = reach(contextSlot(view, c), view.tip());
    const search = c?.searchTransactionHistory === true;
    return contextAt(b, list(signatures, 256).map((s) => (view.endpoint.forgetStatuses ? null : view.status(s, search))));
  },
  getTransaction: ([signature, config], view) => {
    const c = typeof config === 'string' ? { encoding: config } : config;
    const level = historic(c);
    reach(contextSlot(view, c), view.at(level));
    const x = view.endpoint.forgetTransactions ? null : view.record(signature, level);
    if (!x || x.transaction === null) return null;
    return { slot: x.slot, blockTime: x.time, ...encode.record(view.chain, x, c) };
  },
  getSignaturesForAddress: ([k, c], view) => {
    keyOf(k);
    const level = historic(c);
    block(view, c);
    const limit = c?.limit ?? MAX_ROWS;
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_ROWS) throw invalid(`Invalid limit; max ${MAX_ROWS}`);
    const before = c?.before ? view.record(c.before, level) : null;
    if (view.endpoint.forgetTransactions || (c?.before && !before)) return [];
    const until = c?.until ? view.record(c.until, level) : null;
    const out = [];
    for (const x of view.history(k, level)) {
      if (before && x.order >= before.order) continue;
      if (out.length === limit || (until && x.order <= until.order)) break;
      out.push({
        signature: x.signature, slot: x.slot, err: x.error, memo: x.memo, blockTime: x.time, confirmationStatus: view.levelOf(x.height),
      });
    }
    return out;
  },
  getFirstAvailableBlock: (_, { chain }) => chain.blocks.get(chain.oldestBlock).slot,
  minimumLedgerSlot: (_, { chain }) => chain.blocks.get(chain.oldestBlock).slot,
  getBlockTime: ([slot], view) => bySlot(view, slot, 'processed').time,
  getBlocks: ([start, end, c], view) => {
    const ends = typeof end === 'number'; // it may be left out
    return blocks(view, start, ends ? end : start + MAX_RANGE, MAX_RANGE, ends ? c : end);
  },
  getBlocksWithLimit: ([start, limit, c], view) => blocks(view, start, Infinity, Math.min(limit, MAX_RANGE), c),
  getBlock: ([slot, c], view) => {
    const b = bySlot(view, slot, historic(c));
    const parent = view.chain.blocks.get(b.height - 1);
    const out = {
      blockhash: b.hash, previousBlockhash: parent?.hash ?? base58.encode(Buffer.alloc(32)), parentSlot: parent?.slot ?? b.slot - 1,
      blockHeight: b.height, blockTime: b.time, rewards: [],
    };
    const records = b.transactions.filter((x) => x.transaction !== null);
    const details = c?.transactionDetails ?? 'full';
    if (details === 'signatures') return { ...out, signatures: records.map((x) => x.signature) };
    if (details === 'full') return { ...out, transactions: records.map((x) => encode.record(view.chain, x, c)) };
    if (details === 'none') return out;
    throw invalid(`Invalid param: transactionDetails ${String(details)} is not modelled here`);
  },
};

// contextSlot returns a configuration, unless the endpoint is older than its minContextSlot.
function contextSlot(view, config) {
  if (view.endpoint.refuseMinContextSlot && config?.minContextSlot !== undefined) {
    throw invalid('Invalid params: unknown field `minContextSlot`');
  }
  return config;
}

// bySlot finds a block that has reached a level. A slot without one was skipped, is still to come, or is forgotten.
function bySlot(view, slot, level) {
  if (!Number.isSafeInteger(slot) || slot < 0) throw invalid('Invalid param: slot');
  const last = view.at(level);
  // Slots are skipped and heights are not, so that the block lies here or above.
  let h = Math.min(last.height, Math.max(last.height - (last.slot - slot), view.chain.oldestBlock));
  while (h < last.height && view.chain.blocks.get(h).slot < slot) h++;
  const b = view.chain.blocks.get(h);
  if (b?.slot === slot) return b;
  if (slot > last.slot) throw new RpcError(-32004, `Block not available for slot ${Number(slot)}`);
  throw new RpcError(-32007, `Slot ${Number(slot)} was skipped, or missing due to ledger jump to recent snapshot`);
}

function blocks(view, start, end, limit, config) {
  if (!Number.isSafeInteger(start) || start < 0 || !(limit >= 0)) throw invalid('Invalid param: slots');
  const out = [];
  const top = view.heightOf(historic(config));
  for (let h = view.chain.oldestBlock; h <= top && out.length < limit; h++) {
    const { slot } = view.chain.blocks.get(h);
    if (slot >= start && slot <= end) out.push(slot);
  }
  return out;
}

module.exports = { ...clock, ...accounts, ...sending, ...history };
