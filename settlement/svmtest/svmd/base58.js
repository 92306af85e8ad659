'use strict';
// Base58 as Bitcoin and Solana write it.

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const VALUE = new Int8Array(128).fill(-1);
for (let i = 0; i < 58; i++) VALUE[ALPHABET.charCodeAt(i)] = i;

const FIVE = 58 ** 5; // five characters at a time: FIVE x 2^16 is below 2^53, so that floating point is exact
const CACHE = 200_000; // addresses that are remembered in both directions

// decode returns the bytes of a base58 string, or null if it is none. The work grows with the square of the length, so
// that the caller has to bound it.
function decode(text) {
  const limbs = []; // base 2^24, least significant first
  let zeros = 0;
  while (zeros < text.length && text[zeros] === '1') zeros++;
  for (let i = zeros; i < text.length; i++) {
    let carry = VALUE[text.charCodeAt(i)] ?? -1;
    if (carry < 0) return null;
    for (let k = 0; k < limbs.length; k++) {
      carry += limbs[k] * 58;
      limbs[k] = carry & 0xffffff;
      carry >>>= 24;
    }
    if (carry > 0) limbs.push(carry);
  }
  const out = [];
  for (let i = limbs.length - 1; i >= 0; i--) out.push(limbs[i] >> 16, (limbs[i] >> 8) & 255, limbs[i] & 255);
  let lead = 0;
  while (lead < out.length && out[lead] === 0) lead++;
  const bytes = new Uint8Array(zeros + out.length - lead);
  bytes.set(out.slice(lead), zeros);
  return bytes;
}

// encode returns the base58 string of bytes.
function encode(bytes) {
  const limbs = []; // base 58^5, least significant first
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  let i = zeros;
  if ((bytes.length - zeros) % 2 === 1) limbs.push(bytes[i++]);
  for (; i < bytes.length; i += 2) {
    let carry = bytes[i] * 256 + bytes[i + 1];
    for (let k = 0; k < limbs.length; k++) {
      carry += limbs[k] * 65536;
      const high = Math.floor(carry / FIVE);
      limbs[k] = carry - high * FIVE;
      carry = high;
    }
    if (carry > 0) limbs.push(carry);
  }
  let out = '';
  for (let k = 0; k < limbs.length; k++) {
    let rest = limbs[k];
    for (let d = 0; d < 5 && (rest > 0 || k < limbs.length - 1); d++) {
      out = ALPHABET[rest % 58] + out;
      rest = Math.floor(rest / 58);
    }
  }
  return '1'.repeat(zeros) + out;
}

const texts = new Map(); // the bytes of an address, a character each -> address
const keys = new Map(); // address -> its 32 bytes

// address is encode for the 32 bytes of an address: most are met again.
function address(bytes) {
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).latin1Slice();
  let text = texts.get(key);
  if (text === undefined) {
    text = encode(bytes);
    if (texts.size >= CACHE) texts.clear();
    texts.set(key, text);
  }
  return text;
}

// key is decode for an address: its 32 bytes, or bytes of another length, or null. Who gets them does not change them.
function key(text) {
  let bytes = keys.get(text);
  if (bytes === undefined) {
    bytes = decode(text);
    if (bytes === null || bytes.length !== 32) return bytes;
    if (keys.size >= CACHE) keys.clear();
    keys.set(text, bytes);
  }
  return bytes;
}

module.exports = { decode, encode, address, key };
