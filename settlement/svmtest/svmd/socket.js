'use strict';
// Subscriptions over websockets: slots, roots, signatures, accounts, logs.

const { WebSocketServer } = require('ws');
const encode = require('./encode');
const { invalid, RpcError } = require('./errors');
const { keyOf } = require('./chain');
const { stringify } = require('./json');
const methods = require('./methods');
const { View, levelOf } = require('./view');

const MAX_MESSAGE = 1 << 20;
const KINDS = ['slot', 'root', 'signature', 'account', 'logs'];

class Sockets {
  constructor(server) {
    this.server = server;
    this.subscriptions = new Map(); // id -> subscription
    this.nextID = 1;
  }

  attach(httpServer, endpoint) {
    const sockets = new WebSocketServer({ server: httpServer, maxPayload: MAX_MESSAGE });
    sockets.on('connection', (socket) => this.accept(socket, endpoint));
    sockets.on('error', () => {}); // the HTTP server has the same, and says it
  }

  // knows says whether a method is one of a cluster.
  knows(method) { return typeof method === 'string' && (Object.hasOwn(methods, method) || kindOf(method, 'Subscribe') !== null); }

  accept(socket, endpoint) {
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      for (const [id, s] of this.subscriptions) if (s.socket === socket) this.subscriptions.delete(id);
    });
    socket.on('message', (text) => {
      let query;
      try {
        query = JSON.parse(text);
      } catch {
        return;
      }
      if (this.subscribe(socket, endpoint, query)) return;
      this.reply(socket, this.server.answer(text, endpoint));
    });
  }

  // reply does over a websocket what the server has said. It knows no status: the connection ends where HTTP has one.
  reply(socket, what) {
    if (what === 'hang') return;
    if (what.text === undefined) socket.terminate();
    else socket.send(what.text);
  }

  // subscribe handles a query that begins or ends a subscription, and says whether it was one.
  subscribe(socket, endpoint, query) {
    const method = typeof query?.method === 'string' ? query.method : '';
    const kind = kindOf(method, 'Subscribe');
    const ends = kindOf(method, 'Unsubscribe') !== null;
    if (kind === null && !ends) return false;
    const params = Array.isArray(query.params) ? query.params : [];
    const id = query.id ?? null;
    const what = kind === null ? null : this.server.fate(query, endpoint)?.action;
    if (what?.before || what?.after) {
      this.reply(socket, what.before ?? what.after);
      return true;
    }
    let answer;
    try {
      what?.refuse?.(new View(this.server.chain, endpoint));
      answer = { jsonrpc: '2.0', result: ends ? this.subscriptions.delete(params[0]) : this.begin(socket, endpoint, kind, params), id };
    } catch (e) {
      answer = { jsonrpc: '2.0', error: { code: e instanceof RpcError ? e.code : -32603, message: e.message }, id };
    }
    socket.send(stringify(answer));
    this.tell();
    return true;
  }

  // begin checks the params of a subscription and returns its number.
  begin(socket, endpoint, kind, params) {
    const s = { socket, endpoint, kind, params, level: levelOf(params[1]) };
    const view = new View(this.server.chain, endpoint);
    if (kind === 'account') {
      keyOf(params[0]);
      s.last = stringify(encode.account(view.account(params[0], s.level), params[1]));
    }
    if (kind === 'signature' && typeof params[0] !== 'string') throw invalid('Invalid param: signature');
    if (kind === 'logs') {
      s.mentions = mentionsOf(params[0]);
      s.height = view.heightOf(s.level); // up to here it is told, and of the next block as many as it says
      s.told = s.level === 'processed' ? view.tip().transactions.length : 0;
      if (s.level === 'processed') s.height--;
    }
    if (kind === 'root') s.root = view.root;
    if (kind === 'slot') s.slot = view.tip().slot;
    this.subscriptions.set(this.nextID, s);
    return this.nextID++;
  }

  // onBlock tells each block: slots and roots are not left out when many come at once.
  onBlock() {
    for (const [id, s] of this.subscriptions) {
      if (s.kind !== 'slot' && s.kind !== 'root') continue;
      const view = new View(this.server.chain, s.endpoint);
      const { slot, height } = view.tip();
      if (s.kind === 'slot' && slot > s.slot) {
        const parent = this.server.chain.blocks.get(height - 1)?.slot ?? slot - 1;
        s.slot = slot;
        send(s, id, { parent, root: view.at('finalized').slot, slot });
      }
      for (; s.kind === 'root' && s.root < view.root;) {
        const block = this.server.chain.blocks.get(++s.root);
        if (block) send(s, id, block.slot);
      }
    }
  }

  // forked makes subscriptions to logs go back to the last block that is still there.
  forked() {
    this.onBlock();
    for (const s of this.subscriptions.values()) {
      if (s.kind !== 'logs' || s.height < this.server.chain.height - 1) continue;
      s.height = this.server.chain.height - 1;
      s.told = 0;
    }
  }

  // tell tells what transactions and new blocks have changed.
  tell() {
    for (const [id, s] of this.subscriptions) {
      if (s.kind === 'slot' || s.kind === 'root') continue;
      const view = new View(this.server.chain, s.endpoint);
      if (s.kind === 'signature') this.tellSignature(id, s, view);
      else if (s.kind === 'account') this.tellAccount(id, s, view);
      else this.tellLogs(id, s, view);
    }
  }

  // tellSignature tells once, when the signature has reached the level asked for.
  tellSignature(id, s, view) {
    const x = view.record(s.params[0], s.level);
    if (!x) return;
    send(s, id, encode.contextAt(view.at(s.level), { err: x.error }));
    this.subscriptions.delete(id);
  }

  tellAccount(id, s, view) {
    const account = encode.account(view.account(s.params[0], s.level), s.params[1]);
    const text = stringify(account);
    if (text === s.last) return;
    s.last = text;
    send(s, id, encode.contextAt(view.at(s.level), account));
  }

  tellLogs(id, s, view) {
    for (let h = s.height + 1; h <= view.heightOf(s.level); h++) {
      const { transactions, slot } = this.server.chain.blocks.get(h) ?? { transactions: [] };
      for (const x of transactions.slice(s.told)) {
        if (x.transaction === null || (s.mentions && !x.keys.includes(s.mentions))) continue;
        send(s, id, { context: { slot }, value: { signature: x.signature, err: x.error, logs: x.logs } });
      }
      s.told = transactions.length;
      if (s.level === 'processed' && h === view.height) break; // the tip may get more
      s.height = h;
      s.told = 0;
    }
  }
}

// kindOf returns what a method subscribes to, null if it is another method.
function kindOf(method, end) {
  const kind = method.endsWith(end) ? method.slice(0, -end.length) : null;
  return KINDS.includes(kind) ? kind : null;
}

// mentionsOf reads the filter of logsSubscribe: an address, or null for all.
function mentionsOf(filter) {
  if (filter === 'all' || filter === 'allWithVotes') return null;
  if (!Array.isArray(filter?.mentions) || filter.mentions.length !== 1) throw invalid('Invalid Request: Only 1 address supported');
  keyOf(filter.mentions[0]);
  return filter.mentions[0];
}

function send(subscription, id, result) {
  const method = `${subscription.kind}Notification`;
  subscription.socket.send(stringify({ jsonrpc: '2.0', method, params: { result, subscription: id } }));
}

module.exports = { Sockets };
