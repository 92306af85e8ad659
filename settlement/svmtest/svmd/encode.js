'use strict';
// What the RPC reads and writes: transactions, accounts, filters.

const base58 = require('./base58');
const { RpcError, invalid } = require('./errors');
const { u64 } = require('./json');
const token = require('./token');
const { parse } = require('./transaction');

const VERSION = '4.3.0'; // of the Agave crates in LiteSVM 1.5.0
const MAX_TEXT = 8192; // characters of a transaction

const contextAt = (block, value) => ({ context: { apiVersion: VERSION, slot: block.slot }, value });

// encoding reads the encoding of a call's configuration. Without one it is base64, where a cluster has older habits.
function encoding(config) {
  const e = (typeof config === 'string' ? config : config?.encoding) ?? 'base64';
  if (e !== 'base64' && e !== 'base58') throw invalid(`Invalid param: encoding ${String(e)} is not modelled here, ask for base64`);
  return e;
}

const bytes = (data, how) => (how === 'base58' ? [base58.encode(data), how] : [data.toString('base64'), how]);

// transaction reads one that is sent. Without an encoding it is base58, as on a cluster.
function transaction(text, config) {
  if (typeof text !== 'string' || text.length > MAX_TEXT) throw invalid('Invalid param: transaction');
  if (encoding({ encoding: config?.encoding ?? 'base58' }) === 'base64') return parse(Buffer.from(text, 'base64'));
  const raw = base58.decode(text);
  if (raw === null) throw invalid('Invalid param: transaction is not base58');
  return parse(Buffer.from(raw));
}

function account(a, config) {
  const how = encoding(config);
  if (!a) return null;
  const whole = a.data();
  let data = Buffer.from(whole.buffer, whole.byteOffset, whole.length);
  if (config?.dataSlice) data = data.subarray(config.dataSlice.offset, config.dataSlice.offset + config.dataSlice.length);
  return {
    data: bytes(data, how), executable: a.executable(), lamports: Number(a.lamports()), owner: base58.address(a.owner()),
    rentEpoch: u64(a.rentEpoch()), space: whole.length,
  };
}

// matches says whether data passes all filters of getProgramAccounts.
function matches(data, filters) {
  return filters.every((f) => {
    if (f.dataSize !== undefined) return data.length === f.dataSize;
    const { offset, bytes: text, encoding: how } = f.memcmp ?? {};
    const want = how === 'base64' ? Buffer.from(String(text), 'base64') : base58.decode(String(text).slice(0, 200));
    return want !== null && Buffer.from(data.subarray(offset, offset + want.length)).equals(Buffer.from(want));
  });
}

// record writes what became of a transaction as getTransaction does, slot and time apart.
function record(chain, x, config) {
  const t = x.transaction;
  if (t.version !== 'legacy' && !((config?.maxSupportedTransactionVersion ?? -1) >= t.version)) {
    throw new RpcError(-32015, `Transaction version (${t.version}) is not supported by the requesting client. Please try the ` +
      `request again with the following configuration parameter: "maxSupportedTransactionVersion": ${t.version}`);
  }
  const tokens = (list) => list.map((h) => ({
    accountIndex: h.index, mint: h.mint, owner: h.owner, programId: h.program,
    uiTokenAmount: token.uiAmount(h.amount, token.mint(chain.now(h.mint))?.decimals ?? 0),
  }));
  return {
    version: t.version, transaction: bytes(t.raw, encoding(config)),
    meta: {
      err: x.error, status: x.error ? { Err: x.error } : { Ok: null }, fee: t.fee, preBalances: x.preBalances,
      postBalances: x.postBalances, preTokenBalances: tokens(x.preTokens), postTokenBalances: tokens(x.postTokens),
      innerInstructions: x.inner, logMessages: x.logs, rewards: [], loadedAddresses: x.loaded, computeUnitsConsumed: x.units,
      ...(x.returned ? { returnData: x.returned } : {}),
    },
  };
}

module.exports = { VERSION, contextAt, transaction, account, matches, record };
