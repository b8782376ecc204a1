import { expect, test } from 'vitest'
import { createClock } from '../clock.ts'
import type { ClusterManager } from '../cluster/cluster-manager.ts'
import { type Downstream, Exchange, type RequestHandler, type ResponseSink } from '../http/exchange.ts'
import { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import { respond } from '../respond.ts'
import { Runtime } from '../runtime.ts'
import { StreamInfo } from '../stream-info.ts'
import { composeFilters, type Router } from './chain.ts'
import type { CreateFilter } from './http-filter.ts'

/** An exchange whose downstream writes down what it is told. */
function create(hasBody = false) {
  const heard: string[] = []
  const downstream: Downstream = {
    bufferLimit: 10,
    sendHead: ({ status }, end) => heard.push(`head ${status}${end ? ' end' : ''}`),
    sendData: chunk => heard.push(`data ${Buffer.from(chunk)}`) > 0,
    sendEnd: () => heard.push('end'),
    abort: () => heard.push('abort'),
    pauseRequest: () => heard.push('pause'),
    resumeRequest: () => heard.push('resume'),
    random: () => 0,
  }
  const info = new StreamInfo()
  const exchange = new Exchange(info, new RequestHeaders(), downstream, hasBody)
  return { exchange, heard }
}

const services = {
  clusters: {} as ClusterManager,
  runtime: new Runtime([]),
  random: () => 0,
  clock: createClock(),
}
const compose = (creates: CreateFilter[], router: Router, using: typeof services) =>
  composeFilters(
    creates.map((create, i) => ({ name: `filter ${i}`, disabled: false, create })),
    router,
    using,
  )
const answer = (exchange: Exchange) => {
  const headers = new ResponseHeaders()
  headers.status = 200
  exchange.sendHead(headers, true)
}

/** Marks the response with its name, and holds the request until it is told. */
function named(name: string, said: string[], hold?: (next: () => void) => void): CreateFilter {
  return () => ({
    decode(next) {
      said.push(`${name} request`)
      if (hold === undefined) next()
      else hold(next)
    },
    encode: (sink: ResponseSink) => ({
      sendHead(headers, end) {
        said.push(`${name} response`)
        sink.sendHead(headers, end)
      },
      sendData: chunk => sink.sendData(chunk),
      sendEnd: () => sink.sendEnd(),
    }),
    destroy: () => said.push(`${name} over`),
  })
}

test('without filters it is the router itself', () => {
  const router: Router = () => {}
  expect(compose([], router, services)).toBe(router)
})

test('requests in order, responses in the opposite one', () => {
  const said: string[] = []
  const { exchange, heard } = create()
  compose([named('a', said), named('b', said)], answer, services)(exchange)
  expect(said).toEqual(['a request', 'b request', 'b response', 'a response'])
  expect(heard).toEqual(['head 200 end'])
  exchange.onDestroy?.()
  expect(said.slice(4)).toEqual(['a over', 'b over'])
})

test('a filter without a part in the request is not there', () => {
  const said: string[] = []
  const { exchange } = create()
  compose([() => undefined, named('b', said)], answer, services)(exchange)
  expect(said).toEqual(['b request', 'b response'])
})

test('who answers is heard by all, and those behind never see the request', () => {
  const said: string[] = []
  const { exchange, heard } = create()
  const refuse: CreateFilter = one => ({
    decode: () => respond(one, { status: 429, details: 'no', body: 'no' }),
  })
  compose([named('a', said), refuse, named('c', said)], answer, services)(exchange)
  expect(said).toEqual(['a request', 'c response', 'a response'])
  expect(heard).toEqual(['head 429', 'data no', 'end'])
})

test('a filter is made when the request comes to it: one before it may have changed what it goes by', () => {
  const { exchange } = create()
  const said: string[] = []
  const change: CreateFilter = one => ({
    decode(next) {
      one.headers.set('x-route', 'other')
      next()
    },
  })
  const reads: CreateFilter = (one, answered) => {
    said.push(`${one.headers.get('x-route')} ${answered}`)
    return undefined
  }
  compose([change, reads], answer, services)(exchange)
  expect(said).toEqual(['other false'])
})

test('one that the request never comes to is told so', () => {
  const { exchange } = create()
  const said: boolean[] = []
  const refuse: CreateFilter = one => ({ decode: () => respond(one, { status: 429, details: 'no', body: 'no' }) })
  compose([refuse, (_, answered) => void said.push(answered)], answer, services)(exchange)
  expect(said).toEqual([true])
})

test('what comes of a body while a filter waits goes to the router in one piece, and the client waits above the limit', () => {
  const { exchange, heard } = create(true)
  let go = () => {}
  const got: string[] = []
  const handler: RequestHandler = {
    onData: chunk => got.push(String(chunk)),
    onEnd: () => got.push('end'),
    onDrain() {},
    onCancel() {},
  }
  const router: Router = one => {
    one.handler = handler
  }
  compose([named('a', [], next => (go = next))], router, services)(exchange)
  exchange.handler!.onData(Buffer.from('12345'))
  expect(heard).toEqual([])
  exchange.handler!.onData(Buffer.from('678901'))
  expect(heard).toEqual(['pause'])
  exchange.handler!.onEnd()
  exchange.requestComplete = true
  go()
  expect(got).toEqual(['12345678901', 'end'])
  expect(heard).toEqual(['pause', 'resume'])
  expect(exchange.requestCompleteAt).not.toBeNaN()
})

test('a client that leaves while a filter waits: the router never hears of it', () => {
  const { exchange } = create(true)
  let go = () => {}
  let routed = false
  compose([named('a', [], next => (go = next))], () => (routed = true), services)(exchange)
  exchange.handler!.onCancel()
  go()
  expect(routed).toBe(false)
})
