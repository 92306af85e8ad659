'use strict';
// JSON with 64-bit numbers, which Node 20 cannot write: they are strings with a mark until the text is made.

const MARK = '\u0001u64:';

// u64 stands for a BigInt in a value for stringify.
const u64 = (n) => `${MARK}${n}`;

const stringify = (value) => JSON.stringify(value).replaceAll(/"\\u0001u64:(\d+)"/g, '$1');

module.exports = { u64, stringify };
