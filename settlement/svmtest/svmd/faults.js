'use strict';
// Faults: what the network, a proxy or a bad node does to calls. Each is keyed to the calls that match it, so that the same
// calls meet the same faults.

const { RpcError } = require('./errors');

const SEND = ['sendTransaction'];

const rpc = (code, message, data) => () => { throw new RpcError(code, message, data); };
const http = (status, body = '') => ({ before: { status, body } });

// The value of a result with a context, or the result itself.
const value = (result) => (result !== null && typeof result === 'object' && 'context' in result ? result.value : result);
const withValue = (result, v) => (result !== null && typeof result === 'object' && 'context' in result ? { ...result, value: v } : v);

// nulls makes null of a value, and a list of nulls of a list.
const nulls = (result) => withValue(result, Array.isArray(value(result)) ? value(result).map(() => null) : null);

// unfailed takes the error away from a status, a row of a history or a transaction.
function unfailed(x) {
  if (x === null || typeof x !== 'object') return x;
  if (Array.isArray(x)) return x.map(unfailed);
  if (x.meta) return { ...x, meta: { ...x.meta, err: null, status: { Ok: null } } };
  if ('status' in x) return { ...x, err: null, status: { Ok: null } };
  return 'err' in x ? { ...x, err: null } : x;
}

function heightIsSlot(result, view) {
  if (typeof result === 'number') return view.at('processed').slot - (view.height - result);
  return { ...result, blockHeight: result.absoluteSlot };
}

// half drops the second half of a list, the longer one.
const half = (result) => (Array.isArray(value(result)) ? withValue(result, value(result).slice(0, Math.floor(value(result).length / 2))) : result);

// ACTIONS says what each kind does. methods: those that it concerns, all if absent. before, after: what the transport does
// instead of executing, or with the answer. refuse, edit: what the node answers, without executing or after it. text: what
// becomes of the answer's text. deliver: what becomes of a transaction on its way. extra: how many blocks the view is older.
const ACTIONS = {
  'too-many-requests': {
    before: { status: 429, body: '{"jsonrpc":"2.0","error":{"code":429,"message":"Too many requests"},"id":null}', retryAfter: '1' },
  },
  'too-many-requests-in-body': { refuse: rpc(-32429, 'rate limit exceeded') },
  forbidden: http(403, '{"jsonrpc":"2.0","error":{"code":403,"message":"Access forbidden"},"id":null}'),
  'server-error': http(500, 'Internal Server Error'),
  'bad-gateway': http(502, 'Bad Gateway'),
  unavailable: http(503, 'Service Unavailable'),
  'gateway-timeout': { after: { status: 504, body: 'Gateway Timeout' } },
  'html-body': { before: { status: 200, body: '<!DOCTYPE html><html><title>Just a moment...</title></html>', type: 'text/html' } },
  'cut-json': { text: (text) => text.slice(0, Math.floor(text.length / 2)) },
  'empty-body': { text: () => '' },
  'reset-before': { before: 'reset' },
  'reset-after': { after: 'reset' },
  'reset-midway': { after: 'reset-midway' },
  'hang-before': { before: 'hang' },
  'hang-after': { after: 'hang' },
  'duplicate-reply': { text: (text) => `${text}\n${text}` },
  'other-id': { id: true },
  'repeated-reply': { repeat: true },
  'null-result': { edit: () => null },
  'internal-error': { edit: rpc(-32603, 'Internal error') },
  'node-unhealthy': { refuse: rpc(-32005, 'Node is behind by 42 slots', { numSlotsBehind: 42 }) },
  'context-slot-not-reached': {
    refuse: (view) => { throw new RpcError(-32016, 'Minimum context slot has not been reached', { contextSlot: view.tip().slot }); },
  },
  'history-unavailable': { refuse: rpc(-32011, 'Transaction history is not available from this node') },
  stale: { extra: true },
  'ahead-context': {
    edit: (result, _, blocks) => (result?.context ? { ...result, context: { ...result.context, slot: result.context.slot + blocks } } : result),
  },
  'accepted-and-dropped': { methods: SEND, deliver: () => {} },
  'land-late': { methods: SEND, deliver: (chain, t, blocks) => chain.later(t, blocks) },
  'delivered-twice': {
    methods: SEND,
    deliver: (chain, t, blocks) => {
      chain.execute(t);
      if (blocks === 0) chain.execute(t);
      else chain.later(t, blocks);
    },
  },
  'wrong-signature': { methods: SEND, edit: (signature) => [...signature].reverse().join('') },
  'blockhash-not-found': {
    methods: ['sendTransaction', 'simulateTransaction'],
    refuse: rpc(-32002, 'Transaction simulation failed: Blockhash not found', { err: 'BlockhashNotFound', logs: [], accounts: null, unitsConsumed: 0 }),
  },
  'blockhash-not-found-after': {
    methods: SEND,
    edit: rpc(-32002, 'Transaction simulation failed: Blockhash not found', { err: 'BlockhashNotFound', logs: [], accounts: null, unitsConsumed: 0 }),
  },
  'null-status': { methods: ['getSignatureStatuses'], edit: nulls },
  'early-final': {
    methods: ['getSignatureStatuses'],
    edit: (result) => withValue(result, value(result).map((s) => s && { ...s, confirmations: null, confirmationStatus: 'finalized' })),
  },
  'null-transaction': { methods: ['getTransaction'], edit: () => null },
  'no-meta': { methods: ['getTransaction'], edit: (result) => result && { ...result, meta: null } },
  'hidden-error': {
    methods: ['getTransaction', 'getSignatureStatuses', 'getSignaturesForAddress'],
    edit: (result) => withValue(result, unfailed(value(result))),
  },
  'null-account': { methods: ['getAccountInfo', 'getMultipleAccounts'], edit: nulls },
  'empty-history': { methods: ['getSignaturesForAddress'], edit: () => [] },
  'short-list': {
    methods: ['getSignaturesForAddress', 'getMultipleAccounts', 'getSignatureStatuses', 'getProgramAccounts', 'getTokenAccountsByOwner', 'getBlocks'],
    edit: half,
  },
  'slot-as-height': { methods: ['getBlockHeight', 'getEpochInfo'], edit: heightIsSlot },
};

class Faults {
  constructor() {
    this.waiting = []; // in the order in which they are asked
    this.done = {}; // kind -> times
  }

  add(list) { for (const f of list) this.waiting.push({ ...f }); }

  clear() { this.waiting = []; }

  // take returns what happens to a call: {action, blocks}, or null.
  take(endpoint, method) {
    for (let i = 0; i < this.waiting.length; i++) {
      const f = this.waiting[i];
      const action = ACTIONS[f.do];
      if (f.endpoint !== -1 && f.endpoint !== endpoint) continue;
      if (f.method !== '' && f.method !== method) continue;
      if (action.methods && !action.methods.includes(method)) continue;
      if (f.skip > 0) {
        f.skip--;
        continue;
      }
      if (--f.count === 0) this.waiting.splice(i, 1);
      this.done[f.do] = (this.done[f.do] ?? 0) + 1;
      return { action, blocks: f.blocks };
    }
    return null;
  }
}

module.exports = { ACTIONS, Faults };
