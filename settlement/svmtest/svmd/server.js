'use strict';
// JSON-RPC over HTTP, on the loopback address only: endpoints over one chain, each on a port of its own.

const http = require('node:http');
const { control } = require('./control');
const { RpcError } = require('./errors');
const { Faults } = require('./faults');
const { stringify } = require('./json');
const methods = require('./methods');
const { Sockets } = require('./socket');
const { Endpoint, View } = require('./view');

const MAX_BODY = 16 << 20; // an account may have 10 MiB
const MAX_BATCH = 1000;
const DOOR = '/test'; // the path of this package's own calls: no fault is met there, nothing is counted, nothing lags

class Server {
  constructor(chain, endpoints) {
    this.chain = chain;
    this.faults = new Faults();
    this.calls = {}; // method -> calls to the endpoints
    this.endpoints = Array.from({ length: endpoints }, (_, i) => new Endpoint(i));
    this.door = new Endpoint(-1);
    this.control = control(this);
    this.sockets = new Sockets(this);
    this.http = this.endpoints.map((endpoint) => {
      const server = http.createServer((request, response) => this.serve(request, response, endpoint));
      server.keepAliveTimeout = 60_000;
      server.on('connection', (socket) => socket.setNoDelay(true));
      this.sockets.attach(server, endpoint);
      return server;
    });
  }

  // listen calls done with the ports. A port of 0 takes a free one, as all endpoints but the first do.
  listen(port, done) {
    const ports = [];
    let left = this.http.length;
    this.http.forEach((server, i) => server.listen(i === 0 ? port : 0, '127.0.0.1', () => {
      ports[i] = server.address().port;
      if (--left === 0) done(ports);
    }));
  }

  advance() { this.control.svm_advance([1]); }

  newBlock() {
    this.chain.newBlock();
    this.sockets.onBlock();
  }

  // tell tells the subscribers what has changed.
  tell() { this.sockets.tell(); }

  forked() { this.sockets.forked(); }

  serve(request, response, endpoint) {
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
    request.on('error', () => response.destroy());
    request.on('end', () => {
      if (size > MAX_BODY) {
        response.statusCode = 413;
        response.end();
        return;
      }
      const text = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      reply(response, this.answer(text, request.url === DOOR ? this.door : endpoint));
    });
  }

  // answer returns what the transport is to do: {text}, {status, body}, 'reset', 'hang' or {cut: text}.
  answer(text, endpoint) {
    let query;
    try {
      query = JSON.parse(text);
    } catch {
      return { text: '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}' };
    }
    const batch = Array.isArray(query);
    const queries = batch ? query.slice(0, MAX_BATCH) : [query];
    const fates = queries.map((q) => this.fate(q, endpoint));
    const before = fates.find((f) => f?.action.before)?.action.before; // one connection carries them all
    if (before) return before;
    const answers = queries.map((q, i) => this.one(q, endpoint, fates[i]));
    let out = batch ? `[${answers.join(',')}]` : answers[0];
    for (const f of fates) if (f?.action.text) out = f.action.text(out);
    const after = fates.find((f) => f?.action.after)?.action.after;
    if (after === 'reset-midway') return { cut: out.slice(0, Math.floor(out.length / 2)) };
    return after ?? { text: out };
  }

  // fate counts a call and returns what happens to it, null for most.
  fate(query, endpoint) {
    const method = query?.method;
    if (endpoint === this.door || typeof method !== 'string' || !this.sockets.knows(method)) return null;
    this.calls[method] = (this.calls[method] ?? 0) + 1;
    return this.faults.take(endpoint.index, method);
  }

  // one answers one query with text.
  one(query, endpoint, fate) {
    const id = query?.id ?? null;
    const action = fate?.action;
    let answer;
    try {
      answer = { jsonrpc: '2.0', result: this.result(query, endpoint, fate) ?? null, id };
    } catch (e) {
      const error = { code: e instanceof RpcError ? e.code : -32603, message: e.message };
      if (e.data !== undefined) error.data = e.data;
      answer = { jsonrpc: '2.0', error, id };
    }
    if (action?.id) answer.id = typeof id === 'number' ? id + 1 : `${id}0`;
    if (endpoint === this.door) return stringify(answer);
    return this.repeat(query?.method, endpoint, answer, action?.repeat === true);
  }

  // repeat returns an answer as text, or the one that the endpoint gave to the method before, under the new id.
  repeat(method, endpoint, answer, again) {
    const last = endpoint.replies.get(method) ?? { jsonrpc: '2.0', result: null };
    if (!again) {
      if (this.sockets.knows(method)) endpoint.replies.set(method, answer);
      return stringify(answer);
    }
    return stringify({ ...last, id: answer.id });
  }

  result(query, endpoint, fate) {
    if (typeof query?.method !== 'string') throw new RpcError(-32600, 'Invalid request');
    const params = query.params ?? [];
    if (!Array.isArray(params)) throw new RpcError(-32602, '`params` should be an array');
    if (Object.hasOwn(this.control, query.method)) return this.control[query.method](params);
    if (!Object.hasOwn(methods, query.method)) throw new RpcError(-32601, 'Method not found');
    const { action, blocks } = fate ?? {};
    const view = new View(this.chain, endpoint, action?.extra ? blocks : 0);
    action?.refuse?.(view);
    const result = methods[query.method](params, view, (t) => {
      if (action?.deliver) action.deliver(this.chain, t, blocks);
      else this.chain.execute(t);
    });
    if (query.method === 'sendTransaction' || query.method === 'requestAirdrop') this.tell();
    return action?.edit ? action.edit(result ?? null, view, blocks) : result;
  }
}

// reply does over HTTP what answer has said.
function reply(response, what) {
  if (what === 'hang') return; // until the client gives up
  if (what === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (what.cut !== undefined) {
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', 2 * what.cut.length + 1);
    response.write(what.cut, () => response.socket?.resetAndDestroy());
    return;
  }
  if (what.status !== undefined) {
    response.statusCode = what.status;
    response.setHeader('Content-Type', what.type ?? 'text/plain');
    if (what.retryAfter) response.setHeader('Retry-After', what.retryAfter);
    response.end(what.body);
    return;
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(what.text);
}

module.exports = { Server };
