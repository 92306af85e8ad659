'use strict';
// JSON-RPC over HTTP and websocket, on the loopback address only.

const http = require('node:http');
const { WebSocketServer } = require('ws');
const { methods } = require('./methods');
const { RpcError } = require('./errors');
const { stringify } = require('./json');

const MAX_BODY = 1 << 20;
const LEVELS = ['processed', 'confirmed', 'finalized'];

class Server {
  constructor(chain) {
    this.chain = chain;
    this.subscriptions = new Map(); // id -> {socket, kind, params}
    this.nextID = 1;
    this.methods = methods(chain, { onBlock: () => this.tellSlot(), onTransaction: () => this.tellSignatures() });
    this.http = http.createServer((request, response) => this.serve(request, response));
    this.http.keepAliveTimeout = 60_000;
    this.http.on('connection', (socket) => socket.setNoDelay(true));
    this.sockets = new WebSocketServer({ server: this.http, maxPayload: MAX_BODY });
    this.sockets.on('connection', (socket) => this.accept(socket));
  }

  // listen calls done with the port; a port of 0 takes a free one.
  listen(port, done) {
    this.http.listen(port, '127.0.0.1', () => done(this.http.address().port));
  }

  advance() { this.methods.svm_advance([1]); }

  serve(request, response) {
    if (request.method !== 'POST') {
      response.end('ok');
      return;
    }
    const chunks = [];
    let size = 0;
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size <= MAX_BODY) chunks.push(chunk);
    });
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/json');
      if (size > MAX_BODY) {
        response.statusCode = 413;
        response.end();
        return;
      }
      response.end(this.answerText(Buffer.concat(chunks)));
    });
    request.on('error', () => response.destroy());
  }

  answerText(text) {
    let query;
    try {
      query = JSON.parse(text);
    } catch {
      return '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}';
    }
    return stringify(Array.isArray(query) ? query.slice(0, 1000).map((q) => this.answer(q)) : this.answer(query));
  }

  answer(query) {
    const id = query?.id ?? null;
    try {
      if (typeof query?.method !== 'string') throw new RpcError(-32600, 'Invalid request');
      if (!Object.hasOwn(this.methods, query.method)) throw new RpcError(-32601, 'Method not found');
      const params = query.params ?? [];
      if (!Array.isArray(params)) throw new RpcError(-32602, '`params` should be an array');
      return { jsonrpc: '2.0', result: this.methods[query.method](params), id };
    } catch (e) {
      const error = { code: e instanceof RpcError ? e.code : -32603, message: e.message };
      if (e.data !== undefined) error.data = e.data;
      return { jsonrpc: '2.0', error, id };
    }
  }

  accept(socket) {
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
      const params = Array.isArray(query?.params) ? query.params : [];
      let result;
      switch (query?.method) {
        case 'slotSubscribe':
        case 'signatureSubscribe':
          result = this.nextID++;
          this.subscriptions.set(result, { socket, kind: query.method, params });
          break;
        case 'slotUnsubscribe':
        case 'signatureUnsubscribe':
          result = this.subscriptions.delete(params[0]);
          break;
        default:
          socket.send(stringify(this.answer(query)));
          return;
      }
      socket.send(stringify({ jsonrpc: '2.0', result, id: query.id ?? null }));
      this.tellSignatures();
    });
  }

  tellSlot() {
    const slot = this.chain.tip().slot;
    const result = { parent: slot - 1, root: this.chain.at('finalized').slot, slot };
    for (const [id, s] of this.subscriptions) if (s.kind === 'slotSubscribe') tell(s, 'slotNotification', id, result);
  }

  // tellSignatures tells each subscriber of a signature once, when it has reached the level asked for.
  tellSignatures() {
    for (const [id, s] of this.subscriptions) {
      if (s.kind !== 'signatureSubscribe') continue;
      const level = s.params[1]?.commitment ?? 'finalized';
      if (!LEVELS.includes(level) || !this.chain.reached(s.params[0], level)) continue;
      const status = this.chain.status(s.params[0]);
      tell(s, 'signatureNotification', id, { context: { slot: status.slot }, value: { err: status.err } });
      this.subscriptions.delete(id);
    }
  }
}

function tell(subscription, method, id, result) {
  subscription.socket.send(stringify({ jsonrpc: '2.0', method, params: { result, subscription: id } }));
}

module.exports = { Server };
