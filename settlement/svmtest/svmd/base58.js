'use strict';
// Base58 as Bitcoin and Solana write it.

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const VALUE = new Int8Array(128).fill(-1);
for (let i = 0; i < 58; i++) VALUE[ALPHABET.charCodeAt(i)] = i;

// decode returns the bytes of a base58 string, or null if it is none. The work grows with the square of the length, so
// that the caller has to bound it.
function decode(text) {
  const digits = []; // base 256, least significant first
  let zeros = 0;
  while (zeros < text.length && text[zeros] === '1') zeros++;
  for (let i = zeros; i < text.length; i++) {
    let carry = VALUE[text.charCodeAt(i)] ?? -1;
    if (carry < 0) return null;
    for (let k = 0; k < digits.length; k++) {
      carry += digits[k] * 58;
      digits[k] = carry & 255;
      carry >>= 8;
    }
    while (carry > 0) {
      digits.push(carry & 255);
      carry >>= 8;
    }
  }
  const out = new Uint8Array(zeros + digits.length);
  for (let i = 0; i < digits.length; i++) out[zeros + i] = digits[digits.length - 1 - i];
  return out;
}

// encode returns the base58 string of bytes.
function encode(bytes) {
  const digits = []; // base 58, least significant first
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  for (let i = zeros; i < bytes.length; i++) {
    let carry = bytes[i];
    for (let k = 0; k < digits.length; k++) {
      carry += digits[k] << 8;
      digits[k] = carry % 58;
      carry = (carry / 58) | 0;
    }
    while (carry > 0) {
      digits.push(carry % 58);
      carry = (carry / 58) | 0;
    }
  }
  let out = '1'.repeat(zeros);
  for (let i = digits.length - 1; i >= 0; i--) out += ALPHABET[digits[i]];
  return out;
}

module.exports = { decode, encode };
