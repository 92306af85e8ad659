'use strict';
// The JSON-RPC methods. Each takes the params and returns the result, or throws an RpcError.

const base58 = require('./base58');
const { RpcError, invalid } = require('./errors');
const { parse } = require('./transaction');
const { keyOf } = require('./chain');
const token = require('./token');
const { u64 } = require('./json');

const VERSION = '4.3.0'; // of the Agave crates in LiteSVM 1.5.0
const LEVELS = ['processed', 'confirmed', 'finalized'];

// methods returns all methods over one chain. onBlock is called after each new block, and onTransaction after each send.
function methods(chain, { onBlock, onTransaction }) {
  const level = (config) => {
    const c = config?.commitment ?? 'finalized';
    if (!LEVELS.includes(c)) throw invalid(`Invalid param: commitment ${String(c)}`);
    return c;
  };
  // block returns the block that a read is about, after the check of minContextSlot.
  const block = (config) => {
    const b = chain.at(level(config));
    if (config?.minContextSlot > b.slot) {
      throw new RpcError(-32016, 'Minimum context slot has not been reached', { contextSlot: b.slot });
    }
    return b;
  };
  const withContext = (config, value) => ({ context: { apiVersion: VERSION, slot: block(config).slot }, value });
  const account = (address, config) => encodeAccount(chain.account(address, level(config)), config);
  const list = (x, max) => {
    if (!Array.isArray(x) || x.length > max) throw invalid(`Invalid param: want a list of at most ${max}`);
    return x;
  };
  const mint = (address, config) => {
    const m = token.mint(chain.account(address, level(config)));
    if (!m) throw invalid('Invalid param: could not find mint');
    return m;
  };
  const historic = (config) => {
    if (level(config) === 'processed') throw invalid('Method does not support commitment below `confirmed`');
    return level(config);
  };

  const clock = {
    getHealth: () => 'ok',
    getVersion: () => ({ 'solana-core': VERSION, 'feature-set': 0 }),
    getGenesisHash: () => base58.encode(Buffer.alloc(32, 1)),
    getSlot: ([c]) => block(c).slot,
    getBlockHeight: ([c]) => block(c).height,
    getTransactionCount: () => chain.transactions.size,
    getFirstAvailableBlock: () => chain.firstSlot,
    minimumLedgerSlot: () => chain.firstSlot,
    getBlockTime: ([slot]) => {
      const b = chain.blocks.get(slot - chain.firstSlot + 1);
      if (!b) throw new RpcError(-32004, `Block not available for slot ${Number(slot)}`);
      return b.time;
    },
    getEpochInfo: ([c]) => {
      const b = block(c);
      return {
        absoluteSlot: b.slot, blockHeight: b.height, epoch: Math.floor(b.slot / 432_000), slotIndex: b.slot % 432_000,
        slotsInEpoch: 432_000, transactionCount: chain.transactions.size,
      };
    },
    getLatestBlockhash: ([c]) => {
      const b = block(c);
      return withContext(c, { blockhash: b.hash, lastValidBlockHeight: chain.lastValid(b) });
    },
    isBlockhashValid: ([hash, c]) => withContext(c, chain.good(hash, block(c).height)),
  };

  const accounts = {
    getBalance: ([k, c]) => withContext(c, Number(chain.account(k, level(c))?.lamports() ?? 0n)),
    getAccountInfo: ([k, c]) => withContext(c, account(k, c)),
    getMultipleAccounts: ([ks, c]) => withContext(c, list(ks, 100).map((k) => account(k, c))),
    getProgramAccounts: ([program, c]) => {
      const out = [];
      for (const x of chain.runtime.getProgramAccounts(keyOf(program))) {
        if (x.account().lamports() > 0n && matches(x.account().data(), c?.filters ?? [])) {
          out.push({ pubkey: base58.encode(x.address), account: encodeAccount(x.account(), c) });
        }
      }
      return c?.withContext ? withContext(c, out) : out;
    },
    getTokenAccountBalance: ([k, c]) => {
      const h = token.holding(chain.account(k, level(c)));
      if (!h) throw invalid('Invalid param: could not find account');
      return withContext(c, token.uiAmount(h.amount, mint(base58.encode(h.mint), c).decimals));
    },
    getTokenSupply: ([k, c]) => {
      const m = mint(k, c);
      return withContext(c, token.uiAmount(m.supply, m.decimals));
    },
    getTokenAccountsByOwner: ([owner, filter, c]) => {
      keyOf(owner);
      const out = [];
      for (const program of filter?.programId ? [filter.programId] : token.PROGRAMS) {
        for (const x of chain.runtime.getProgramAccounts(keyOf(program))) {
          const h = token.holding(x.account());
          if (!h || base58.encode(h.owner) !== owner || (filter?.mint && base58.encode(h.mint) !== filter.mint)) continue;
          out.push({ pubkey: base58.encode(x.address), account: encodeAccount(x.account(), c) });
        }
      }
      return withContext(c, out);
    },
    getMinimumBalanceForRentExemption: ([n]) => {
      if (!Number.isSafeInteger(n) || n < 0 || n > 10_485_760) throw invalid('Invalid param: length of data');
      return Number(chain.runtime.minimumBalanceForRentExemption(BigInt(n)));
    },
  };

  const sending = {
    requestAirdrop: ([k, lamports]) => {
      if (!Number.isSafeInteger(lamports) || lamports < 0) throw invalid('Invalid param: lamports');
      return chain.airdrop(k, lamports);
    },
    getFeeForMessage: ([message, c]) => {
      const bytes = Buffer.from(String(message), 'base64');
      const v1 = bytes[0] === 0x81;
      const signers = Math.min(v1 || bytes[0] & 128 ? bytes[1] ?? 0 : bytes[0] ?? 0, 12);
      const signatures = Buffer.alloc(64 * signers);
      const t = parse(v1 ? Buffer.concat([bytes, signatures]) : Buffer.concat([Buffer.from([signers]), signatures, bytes]));
      return withContext(c, chain.good(t.blockhash, block(c).height) ? t.fee : null);
    },
    getRecentPrioritizationFees: () =>
      [...chain.blocks.values()].slice(-150).map((b) => ({ slot: b.slot, prioritizationFee: 0 })),
    simulateTransaction: ([text, c]) => {
      let t = decode(text, c);
      if (c?.replaceRecentBlockhash) {
        const raw = Buffer.from(t.raw);
        raw.set(base58.decode(chain.tip().hash), raw.indexOf(base58.decode(t.blockhash)));
        t = parse(raw);
      }
      const r = chain.simulate(t, c?.sigVerify === true);
      const wanted = c?.accounts ? list(c.accounts.addresses, 64) : null;
      return withContext(c, {
        err: r.error, logs: r.logs, unitsConsumed: r.units, returnData: null, innerInstructions: null,
        accounts: wanted && wanted.map((k) => encodeAccount(r.accounts?.get(k) ?? chain.now(k), c.accounts)),
      });
    },
    sendTransaction: ([text, c]) => {
      const t = decode(text, c);
      if (c?.minContextSlot > chain.tip().slot) {
        throw new RpcError(-32016, 'Minimum context slot has not been reached', { contextSlot: chain.tip().slot });
      }
      if (!c?.skipPreflight) preflight(chain, t);
      chain.execute(t);
      onTransaction();
      return t.signature;
    },
  };

  const history = {
    getSignatureStatuses: ([signatures]) => ({
      context: { apiVersion: VERSION, slot: chain.tip().slot },
      value: list(signatures, 256).map((s) => chain.status(s)),
    }),
    getTransaction: ([signature, c]) => {
      const config = typeof c === 'string' ? { encoding: c } : c;
      return chain.reached(signature, historic(config)) ? encodeTransaction(chain, signature, config) : null;
    },
    getSignaturesForAddress: ([k, c]) => {
      keyOf(k);
      const wanted = historic(c);
      let out = (chain.byAddress.get(k) ?? []).filter((s) => chain.reached(s, wanted)).reverse();
      if (out.includes(c?.before)) out = out.slice(out.indexOf(c.before) + 1);
      if (out.includes(c?.until)) out = out.slice(0, out.indexOf(c.until));
      return out.slice(0, Math.min(c?.limit ?? 1000, 1000)).map((s) => {
        const x = chain.transactions.get(s);
        const { confirmationStatus } = chain.status(s);
        return { signature: s, slot: x.slot, err: x.error, memo: null, blockTime: x.time, confirmationStatus };
      });
    },
  };

  // What no cluster has: blocks on demand.
  const control = {
    svm_advance: ([n]) => {
      if (!Number.isSafeInteger(n) || n < 0 || n > 1_000_000) throw invalid('Invalid param: blocks, 0 to 1000000');
      for (let i = 0; i < n; i++) {
        chain.newBlock();
        onBlock();
      }
      onTransaction();
      return chain.tip().slot;
    },
  };

  control.svm_account = ([k]) => {
    const a = chain.now(k);
    return a && {
      address: k, lamports: Number(a.lamports()), owner: base58.encode(a.owner()), data: Buffer.from(a.data()).toString('base64'),
      executable: a.executable(),
    };
  };

  return { ...clock, ...accounts, ...sending, ...history, ...control };
}

// preflight refuses a transaction that would fail, as sendTransaction does unless it is told to skip it.
function preflight(chain, t) {
  const r = chain.simulate(t, true);
  if (r.error === null) return;
  if (r.error === 'SignatureFailure') throw new RpcError(-32003, 'Transaction signature verification failure');
  const what = typeof r.error === 'string' ? r.error : `Error processing Instruction: ${JSON.stringify(r.error)}`;
  throw new RpcError(-32002, `Transaction simulation failed: ${what}`, {
    err: r.error, logs: r.logs, accounts: null, unitsConsumed: r.units, returnData: null,
  });
}

function decode(text, config) {
  if (typeof text !== 'string' || text.length > 8192) throw invalid('Invalid param: transaction');
  if (config?.encoding === 'base64') return parse(Buffer.from(text, 'base64'));
  const bytes = base58.decode(text);
  if (bytes === null) throw invalid('Invalid param: transaction is not base58');
  return parse(Buffer.from(bytes));
}

function encodeAccount(a, config) {
  if (!a) return null;
  let data = Buffer.from(a.data());
  const space = data.length;
  if (config?.dataSlice) data = data.subarray(config.dataSlice.offset, config.dataSlice.offset + config.dataSlice.length);
  return {
    data: config?.encoding === 'base58' ? [base58.encode(data), 'base58'] : [data.toString('base64'), 'base64'],
    executable: a.executable(), lamports: Number(a.lamports()), owner: base58.encode(a.owner()), rentEpoch: u64(a.rentEpoch()), space,
  };
}

function matches(data, filters) {
  return filters.every((f) => {
    if (f.dataSize !== undefined) return data.length === f.dataSize;
    const { offset, bytes, encoding } = f.memcmp ?? {};
    const want = encoding === 'base64' ? Buffer.from(String(bytes), 'base64') : base58.decode(String(bytes).slice(0, 200));
    return want !== null && Buffer.from(data.subarray(offset, offset + want.length)).equals(Buffer.from(want));
  });
}

function encodeTransaction(chain, signature, config) {
  const x = chain.transactions.get(signature);
  const t = x.transaction;
  if (!t) return null; // an airdrop
  if (t.version !== 'legacy' && !((config?.maxSupportedTransactionVersion ?? -1) >= t.version)) {
    throw new RpcError(-32015, `Transaction version (${t.version}) is not supported by the requesting client. Please try the ` +
      `request again with the following configuration parameter: "maxSupportedTransactionVersion": ${t.version}`);
  }
  const tokens = (l) => l.map((h) => {
    const mint = base58.encode(h.mint);
    const decimals = token.mint(chain.now(mint))?.decimals ?? 0;
    return { accountIndex: h.index, mint, owner: base58.encode(h.owner), programId: h.program, uiTokenAmount: token.uiAmount(h.amount, decimals) };
  });
  const encoded = config?.encoding === 'base58' ? [base58.encode(t.raw), 'base58'] : [t.raw.toString('base64'), 'base64'];
  return {
    slot: x.slot, blockTime: x.time, version: t.version, transaction: encoded,
    meta: {
      err: x.error, status: x.error ? { Err: x.error } : { Ok: null }, fee: t.fee, preBalances: x.preBalances,
      postBalances: x.postBalances, preTokenBalances: tokens(x.preTokens), postTokenBalances: tokens(x.postTokens),
      innerInstructions: [], logMessages: x.logs, rewards: [], loadedAddresses: { writable: [], readonly: [] },
      computeUnitsConsumed: x.units,
    },
  };
}

module.exports = { methods };
