'use strict';
// Reads transactions of all three formats. It is at least as strict as the runtime's own decoder, because that one ends
// the process on bytes that it does not like.

const base58 = require('./base58');
const { invalid } = require('./errors');

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111';
const MAX_LEGACY = 1232;
const MAX_V1 = 4096;
const MAX_ACCOUNTS = 256; // what an index of one byte reaches
// The programs that have not become bytecode: a call of one counts 3,000 units where no limit is set, of any other 200,000
// (SIMD-0170; agave, builtins-default-costs).
const BUILTINS = [
  COMPUTE_BUDGET,
  '11111111111111111111111111111111', 'Vote111111111111111111111111111111111111111', 'BPFLoader1111111111111111111111111111111111',
  'BPFLoader2111111111111111111111111111111111', 'BPFLoaderUpgradeab1e11111111111111111111111',
  'LoaderV411111111111111111111111111111111111', 'KeccakSecp256k11111111111111111111111111111',
  'Ed25519SigVerify111111111111111111111111111',
];
const MEMOS = ['MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr', 'Memo1UhkJRfHyvLMcVucJwxXeuD8728EqVDDwQDxFMNo'];

// Reader takes bytes from a buffer and throws at its end.
class Reader {
  constructor(buffer) {
    this.buffer = buffer;
    this.at = 0;
  }

  take(n) {
    if (this.at + n > this.buffer.length) {
      throw invalid('failed to deserialize transaction: io error: failed to fill whole buffer');
    }
    this.at += n;
    return this.buffer.subarray(this.at - n, this.at);
  }

  u8() { return this.take(1)[0]; }

  u16() { return this.take(2).readUInt16LE(0); }

  u32() { return this.take(4).readUInt32LE(0); }

  // compact is Solana's compact-u16, in its shortest form only.
  compact() {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.u8();
      if (i > 0 && byte === 0) throw invalid('failed to deserialize transaction: length is not in its shortest form');
      value |= (byte & 127) << (7 * i);
      if (byte < 128) {
        if (value > 65535) break;
        return value;
      }
    }
    throw invalid('failed to deserialize transaction: length does not fit 16 bits');
  }

  end() {
    if (this.at !== this.buffer.length) throw invalid('failed to deserialize transaction: trailing bytes');
  }
}

// parse returns {version, raw, message, signatures, signature, keys, keyBytes, writable, lookups, blockhash, instructions,
// fee}. The keys are those of the message itself, writable their positions; lookups are {table, writable, readonly}.
function parse(buffer) {
  const t = buffer[0] === 0x81 ? parseV1(buffer) : parseOld(buffer);
  check(t);
  t.raw = buffer;
  t.signature = base58.encode(t.signatures[0]);
  const [signers, readonlySigners, readonlyOthers] = t.header;
  t.writable = [];
  for (let i = 0; i < t.keys.length; i++) {
    if (i < signers ? i < signers - readonlySigners : i < t.keys.length - readonlyOthers) t.writable.push(i);
  }
  t.fee = feeOf(t);
  return t;
}

function parseOld(buffer) {
  if (buffer.length > MAX_LEGACY) throw invalid(`transaction too large: ${buffer.length} bytes (max: ${MAX_LEGACY} bytes)`);
  const r = new Reader(buffer);
  const t = { version: 'legacy', signatures: [], lookups: [] };
  for (let n = r.compact(); n > 0; n--) t.signatures.push(r.take(64));
  const start = r.at;
  let first = r.u8();
  if (first & 128) {
    if (first !== 128) throw invalid(`failed to deserialize transaction: unknown version ${first & 127}`);
    t.version = 0;
    first = r.u8();
  }
  t.header = [first, r.u8(), r.u8()];
  readKeys(t, r, r.compact());
  t.blockhash = base58.encode(r.take(32));
  t.instructions = [];
  for (let n = r.compact(); n > 0; n--) {
    const program = r.u8();
    const accounts = r.take(r.compact());
    t.instructions.push({ program, accounts, data: r.take(r.compact()) });
  }
  if (t.version === 0) {
    for (let n = r.compact(); n > 0; n--) {
      t.lookups.push({ table: base58.address(r.take(32)), writable: r.take(r.compact()), readonly: r.take(r.compact()) });
    }
  }
  t.message = buffer.subarray(start, r.at);
  r.end();
  return t;
}

// parseV1 reads SIMD-0385: the signatures stand at the end, uncounted, and the compute budget in the message.
function parseV1(buffer) {
  if (buffer.length > MAX_V1) throw invalid(`transaction too large: ${buffer.length} bytes (max: ${MAX_V1} bytes)`);
  const r = new Reader(buffer);
  r.u8();
  const t = { version: 1, signatures: [], lookups: [], header: [r.u8(), r.u8(), r.u8()] };
  const mask = r.u32();
  if (mask > 31 || (mask & 3) === 1 || (mask & 3) === 2) throw invalid('failed to deserialize transaction: config mask');
  t.blockhash = base58.encode(r.take(32));
  const instructions = r.u8();
  const addresses = r.u8();
  if (instructions < 1 || instructions > 64 || addresses > 64 || t.header[0] > 12) {
    throw invalid('failed to deserialize transaction: too many instructions, addresses or signatures');
  }
  readKeys(t, r, addresses);
  t.priorityFee = mask & 3 ? r.take(8).readBigUInt64LE(0) : 0n;
  for (const bit of [4, 8, 16]) if (mask & bit) r.u32();
  const heads = [];
  for (let i = 0; i < instructions; i++) heads.push([r.u8(), r.u8(), r.u16()]);
  t.instructions = heads.map(([program, n, size]) => ({ program, accounts: r.take(n), data: r.take(size) }));
  t.message = buffer.subarray(0, r.at);
  for (let n = t.header[0]; n > 0; n--) t.signatures.push(r.take(64));
  r.end();
  return t;
}

function readKeys(t, r, n) {
  t.keyBytes = [];
  for (; n > 0; n--) t.keyBytes.push(r.take(32));
  t.keys = t.keyBytes.map(base58.address);
}

// check is the runtime's sanitize: the header fits the keys and every index fits.
function check(t) {
  const [signers, readonlySigners, readonlyOthers] = t.header;
  const n = t.keys.length;
  const loaded = t.lookups.reduce((sum, l) => sum + l.writable.length + l.readonly.length, 0);
  const bad = signers === 0 || signers !== t.signatures.length || readonlySigners >= signers ||
    signers + readonlyOthers > n || new Set(t.keys).size !== n || n + loaded > MAX_ACCOUNTS ||
    t.lookups.some((l) => l.writable.length + l.readonly.length === 0) ||
    t.instructions.some((x) => x.program === 0 || x.program >= n || x.accounts.some((a) => a >= n + loaded));
  if (bad) throw invalid('invalid transaction: Transaction failed to sanitize accounts offsets correctly');
}

// memo returns the memos of a transaction as getSignaturesForAddress lists them, null if it has none.
function memo(t) {
  const out = [];
  for (const x of t.instructions) {
    if (MEMOS.includes(t.keys[x.program])) out.push(`[${x.data.length}] ${x.data.toString('utf8')}`);
  }
  return out.length > 0 ? out.join('; ') : null;
}

// feeOf is 5,000 lamports a signature and the priority fee: inline in version 1, otherwise by the compute budget program.
function feeOf(t) {
  const base = 5000n * BigInt(t.signatures.length);
  if (t.version === 1) return Number(base + t.priorityFee);
  let price = 0n;
  let limit = null;
  let units = 0;
  for (const x of t.instructions) {
    units += BUILTINS.includes(t.keys[x.program]) ? 3000 : 200_000;
    if (t.keys[x.program] !== COMPUTE_BUDGET) continue;
    if (x.data[0] === 2 && x.data.length === 5) limit = BigInt(x.data.readUInt32LE(1));
    else if (x.data[0] === 3 && x.data.length === 9) price = x.data.readBigUInt64LE(1);
  }
  limit ??= BigInt(Math.min(1_400_000, units));
  return Number(base + (price * limit + 999_999n) / 1_000_000n);
}

module.exports = { parse, memo };
