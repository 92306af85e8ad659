'use strict';
// svmd: Solana's JSON-RPC and websocket in front of the real runtime (LiteSVM), for tests.
//
// usage: node main.js --start-time SECONDS [--port 0] [--slot-ms 0] [--rent-per-byte 5080] [--endpoints 1] [--keep-blocks 0]
//
// It listens on 127.0.0.1, prints one line {"ready":true,"ports":[N]} when it can be used, and ends when its standard input
// does, so that it never outlives whoever started it.

const { parseArgs } = require('node:util');
const { Chain } = require('./chain');
const { MAX_RENT } = require('./control');
const { Server } = require('./server');

const { values } = parseArgs({
  options: {
    'start-time': { type: 'string' },
    port: { type: 'string', default: '0' },
    'slot-ms': { type: 'string', default: '0' },
    'rent-per-byte': { type: 'string', default: '5080' },
    endpoints: { type: 'string', default: '1' },
    'keep-blocks': { type: 'string', default: '0' },
  },
});

// whole reads an option as a whole number.
function whole(name, high = Number.MAX_SAFE_INTEGER) {
  const n = Number(values[name]);
  if (values[name] === undefined || !Number.isSafeInteger(n) || n < 0 || n > high) {
    throw new Error(`--${name} wants a whole number up to ${high}, not "${values[name]}"`);
  }
  return n;
}

process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
process.on('SIGINT', () => {}); // a Ctrl-C is meant for the parent, which may still need the chain to end in order

const chain = new Chain({
  startTime: whole('start-time'), rentPerByte: whole('rent-per-byte', MAX_RENT), keepBlocks: whole('keep-blocks'),
});
const server = new Server(chain, whole('endpoints', 16));
const slot = whole('slot-ms');
if (slot > 0) setInterval(() => server.advance(), slot);
for (const h of server.http) {
  h.on('error', (e) => {
    console.error(e.message);
    process.exit(1);
  });
}
server.listen(whole('port'), (ports) => console.log(JSON.stringify({ ready: true, ports })));
