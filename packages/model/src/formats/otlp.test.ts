import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { pick, randomHex, randomInteger, seededRandom } from '../testing/random.ts'
import { decodeOtlpJson } from './otlp-json.ts'
import { decodeOtlpProto } from './otlp-proto.ts'

/** The messages of opentelemetry-proto 1.x that traces are made of, with a field that only a later version would have. */
const schema = protobuf.parse(`
  syntax = "proto3";
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
  message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
  message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
  message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
    int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
    uint32 dropped_attributes_count = 10; repeated Event events = 11; uint32 dropped_events_count = 12;
    repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16;
    string from_the_future = 200;
  }
  message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
  message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4;
    uint32 dropped_attributes_count = 5; fixed32 flags = 6; }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
`).root
const Request = schema.lookupType('ExportTraceServiceRequest')

type Json = Record<string, unknown>
const TRACE_ID = '5b8efff798038103d269b633813fc60c'
const SPAN_ID = 'eee19b7ec3c1b174'

/** OTLP/JSON → binary, by protobufjs. Ids are hex in the one, bytes in the other. */
function toBinary(json: Json): Uint8Array {
  const withBytes = JSON.parse(JSON.stringify(json), (key, value) =>
    /^(traceId|spanId|parentSpanId)$/.test(key) ? Buffer.from(value, 'hex').toString('base64') : value,
  )
  return Request.encode(Request.fromObject(withBytes)).finish()
}

const decodeJson = (json: unknown) => decodeOtlpJson(new TextEncoder().encode(JSON.stringify(json)))
const string = (stringValue: string) => ({ stringValue })
const request = (span: Json, resource: Json[] = [], scope: Json = {}): Json => ({
  resourceSpans: [
    {
      resource: { attributes: resource },
      scopeSpans: [{ scope, spans: [{ traceId: TRACE_ID, spanId: SPAN_ID, ...span }] }],
    },
  ],
})
/** Through both encodings, which must agree. */
function convert(span: Json, resource?: Json[], scope?: Json) {
  const json = request(span, resource, scope)
  const fromJson = decodeJson(json)
  expect(decodeOtlpProto(toBinary(json))).toEqual(fromJson)
  return fromJson.spans[0]!
}

describe("as OpenTelemetry's specification maps spans to Zipkin", () => {
  test('the whole of a span', () => {
    const span = convert(
      {
        parentSpanId: '00f067aa0ba902b7',
        name: 'GET /Orders',
        kind: 3,
        startTimeUnixNano: '1544712660000001999',
        endTimeUnixNano: '1544712661000000999',
        attributes: [
          { key: 'http.response.status_code', value: { intValue: '503' } },
          { key: 'ratio', value: { doubleValue: 0.5 } },
          { key: 'cached', value: { boolValue: false } },
          { key: 'list', value: { arrayValue: { values: [string('a'), { intValue: '1' }, { boolValue: true }] } } },
          { key: 'map', value: { kvlistValue: { values: [{ key: 'k', value: string('v') }] } } },
          { key: 'raw', value: { bytesValue: 'AQID' } },
          { key: 'peer.service', value: string('Orders') },
        ],
        events: [
          {
            timeUnixNano: '1544712660500000000',
            name: 'cache miss',
            attributes: [{ key: 'k1', value: string('v"1') }],
          },
          { timeUnixNano: '1544712660100000000', name: 'plain' },
        ],
        status: { code: 2, message: 'boom' },
        droppedAttributesCount: 1,
        droppedEventsCount: 2,
        droppedLinksCount: 3,
      },
      [
        { key: 'service.name', value: string('Shop') },
        { key: 'service.namespace', value: string('eu') },
      ],
      { name: 'http', version: '1.2' },
    )
    expect(span).toEqual({
      traceId: TRACE_ID,
      id: SPAN_ID,
      parentId: '00f067aa0ba902b7',
      kind: 'CLIENT',
      name: 'get /orders',
      timestamp: 1544712660000001,
      duration: 999999,
      localEndpoint: { serviceName: 'shop' },
      remoteEndpoint: { serviceName: 'orders' },
      annotations: [
        { timestamp: 1544712660100000, value: 'plain' },
        { timestamp: 1544712660500000, value: '"cache miss": {"k1":"v\\"1"}' },
      ],
      tags: {
        'service.namespace': 'eu',
        'otel.scope.name': 'http',
        'otel.scope.version': '1.2',
        'otel.library.name': 'http',
        'otel.library.version': '1.2',
        'http.response.status_code': '503',
        ratio: '0.5',
        cached: 'false',
        list: '["a",1,true]',
        map: '{"k":"v"}',
        raw: 'AQID',
        'peer.service': 'Orders',
        'otel.status_code': 'ERROR',
        error: 'boom',
        'otel.dropped_attributes_count': '1',
        'otel.dropped_events_count': '2',
        'otel.dropped_links_count': '3',
      },
    })
  })
  test('links, trace state, attributes of the scope, what was dropped of events', () => {
    const other = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
    const span = convert(
      {
        traceState: 'vendor=a|b,other=1',
        flags: 257,
        attributes: [{ key: 'pool', value: string('own') }],
        links: [
          {
            ...other,
            traceState: 'x=y',
            attributes: [
              { key: 'reason', value: string('batch') },
              { key: 'n', value: { intValue: '2' } },
            ],
            droppedAttributesCount: 3,
            flags: 1,
          },
          other,
        ],
        events: [
          { timeUnixNano: '1000', name: 'lost', droppedAttributesCount: 2 },
          {
            timeUnixNano: '2000',
            name: 'partly',
            attributes: [{ key: 'k', value: string('v') }],
            droppedAttributesCount: 1,
          },
        ],
      },
      [{ key: 'pool', value: string("resource's") }],
      {
        name: 'queue',
        attributes: [
          { key: 'pool', value: string("scope's") },
          { key: 'build', value: { intValue: '7' } },
        ],
      },
    )
    expect(span.tags).toEqual({
      pool: 'own',
      build: '7',
      'otel.scope.name': 'queue',
      'otel.library.name': 'queue',
      'w3c.tracestate': 'vendor=a|b,other=1',
      'otlp.link.0': `${other.traceId}|${other.spanId}|x=y|{"reason":"batch","n":2}|3`,
      'otlp.link.1': `${other.traceId}|${other.spanId}||{}|0`,
    })
    expect(span.annotations).toEqual([
      { timestamp: 1, value: '"lost": {"otel.dropped_attributes_count":2}' },
      { timestamp: 2, value: '"partly": {"k":"v","otel.dropped_attributes_count":1}' },
    ])
  })
  test.each([
    [0, undefined],
    [1, undefined],
    [2, 'SERVER'],
    [3, 'CLIENT'],
    [4, 'PRODUCER'],
    [5, 'CONSUMER'],
    [9, undefined],
  ])('kind %d → %s', (kind, expected) => {
    expect(convert({ kind }).kind).toBe(expected)
  })
  test('status', () => {
    expect(convert({ status: { code: 1, message: 'x' } }).tags).toEqual({ 'otel.status_code': 'OK' })
    expect(convert({ status: { code: 2 } }).tags).toEqual({ 'otel.status_code': 'ERROR', error: '' })
    expect(convert({ status: {} }).tags).toBeUndefined()
    expect(convert({ attributes: [{ key: 'error', value: { boolValue: false } }] }).tags).toBeUndefined()
    expect(convert({ attributes: [{ key: 'error', value: { boolValue: true } }] }).tags).toEqual({ error: 'true' })
  })
  test('without service.name', () => {
    expect(convert({}).localEndpoint).toEqual({ serviceName: 'unknown_service' })
  })
  test.each([
    [{ 'server.address': 'db.local', 'db.name': 'x' }, { serviceName: 'db.local' }],
    [
      { 'network.peer.address': '10.0.0.7', 'network.peer.port': '5432', 'peer.address': 'x' },
      { ipv4: '10.0.0.7', port: 5432 },
    ],
    [{ 'net.sock.peer.addr': '::1' }, { ipv6: '::1' }],
    [{ 'peer.service': 'a', 'server.address': 'b' }, { serviceName: 'a' }],
    [{ 'net.peer.name': 'n', 'server.address': '' }, { serviceName: 'n' }],
    [{ 'db.name': 'shop' }, { serviceName: 'shop' }],
    [{ other: 'x' }, undefined],
  ])('peer of %j', (attributes, expected) => {
    const list = Object.entries(attributes).map(([key, value]) => ({ key, value: string(value) }))
    expect(convert({ kind: 3, attributes: list }).remoteEndpoint).toEqual(expected)
    expect(convert({ kind: 1, attributes: list }).remoteEndpoint).toBeUndefined()
  })
  test('what took less than a microsecond took one', () => {
    expect(convert({ startTimeUnixNano: '1000', endTimeUnixNano: '1001' }).duration).toBe(1)
    expect(convert({ startTimeUnixNano: '1000', endTimeUnixNano: '1000' }).duration).toBeUndefined()
  })
})

describe('the leniency of OTLP/JSON', () => {
  test('upper-case ids, numbers for times, names for enums, snake_case, unknown fields', () => {
    const { spans } = decodeJson({
      resource_spans: [
        {
          scope_spans: [
            {
              spans: [
                {
                  trace_id: TRACE_ID.toUpperCase(),
                  span_id: SPAN_ID.toUpperCase(),
                  kind: 'SPAN_KIND_SERVER',
                  start_time_unix_nano: 1000000,
                  end_time_unix_nano: '3000000',
                  status: { code: 'STATUS_CODE_ERROR' },
                  attributes: [{ key: 'n', value: { int_value: 5 } }],
                  future: [{}],
                },
              ],
            },
          ],
        },
      ],
    })
    expect(spans[0]).toMatchObject({ traceId: TRACE_ID, id: SPAN_ID, kind: 'SERVER', timestamp: 1000, duration: 2000 })
    expect({ ...spans[0]!.tags }).toEqual({ n: '5', 'otel.status_code': 'ERROR', error: '' })
  })
  test.each([
    ['{', /^OTLP JSON: /],
    ['[]', 'OTLP JSON: body: expected an object, got an array'],
    ['{"resourceSpans":{}}', 'OTLP JSON: resourceSpans: expected an array, got object'],
    [
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":5}]}]}]}',
      'resourceSpans[0].scopeSpans[0].spans[0].name: expected a string',
    ],
    [
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"x"}]}]}]}',
      'startTimeUnixNano: expected an integer',
    ],
  ])('%s is refused', (body, message) => {
    expect(() => decodeOtlpJson(new TextEncoder().encode(body))).toThrow(message)
  })
  test('a value nested too deeply is refused, not a stack overflow', () => {
    let value: Json = string('x')
    for (let i = 0; i < 150; i++) value = { arrayValue: { values: [value] } }
    const json = request({ attributes: [{ key: 'k', value }] })
    expect(() => decodeJson(json)).toThrow('value nests too deeply')
    // protobufjs has a limit of its own, so these bytes are made by hand: value → array → value, from the inside out.
    const wrap = (field: number, bytes: number[]) => [
      (field << 3) | 2,
      (bytes.length & 0x7f) | 0x80,
      bytes.length >> 7,
      ...bytes,
    ]
    let bytes = [0x0a, 0x01, 0x78]
    for (let i = 0; i < 150; i++) bytes = wrap(5, wrap(1, bytes))
    for (const field of [2, 9, 2, 2, 1]) bytes = wrap(field, bytes)
    expect(() => decodeOtlpProto(Uint8Array.from(bytes))).toThrow('nests too deeply')
  })
})

test('a span with a bad id is rejected alone', () => {
  const good = request({})
  const spans = (id: object) => (request({ ...id }).resourceSpans as Json[])[0]!
  const json = {
    resourceSpans: [
      spans({ traceId: '00' }),
      (good.resourceSpans as Json[])[0],
      spans({ spanId: '0'.repeat(16) }),
      spans({ parentSpanId: 'ff' }),
    ],
  }
  const result = decodeJson(json)
  expect(result).toMatchObject({
    rejected: 3,
    errorMessage: 'trace_id: expected 16 bytes that are not all zero, got "00"',
  })
  expect(result.spans).toHaveLength(1)
  expect(decodeOtlpProto(toBinary(json))).toEqual(result)
})

test('binary and JSON agree on random requests, unknown fields included', () => {
  const random = seededRandom(7)
  const value = (depth: number): Json =>
    pick<() => Json>(random, [
      () => string(pick(random, ['', 'é😀', 'x'])),
      () => ({ boolValue: random() < 0.5 }),
      () => ({ intValue: String(-(2n ** 63n) + BigInt(randomInteger(random, 2 ** 31)) * 4_000_000_007n) }),
      () => ({ doubleValue: random() * 1e9 }),
      () => (depth > 2 ? {} : { arrayValue: { values: [value(depth + 1), value(depth + 1)] } }),
      () => (depth > 2 ? {} : { kvlistValue: { values: [{ key: 'k', value: value(depth + 1) }] } }),
    ])()
  for (let i = 0; i < 300; i++) {
    convert({
      traceId: randomHex(random, 32),
      ...(random() < 0.5 && { parentSpanId: randomHex(random, 16) }),
      name: `span ${i}`,
      kind: randomInteger(random, 6),
      startTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(randomInteger(random, 2 ** 31))),
      endTimeUnixNano: String(1_700_000_002_000_000_000n + BigInt(randomInteger(random, 2 ** 31))),
      attributes: Array.from({ length: randomInteger(random, 5) }, (_, n) => ({ key: `k${n}`, value: value(0) })),
      status: { code: randomInteger(random, 3), message: pick(random, ['', 'failed']) },
      traceState: 'a=b',
      flags: 1,
      links: [{ traceId: randomHex(random, 32), spanId: randomHex(random, 16) }],
      fromTheFuture: 'skipped',
    })
  }
})

test('a binary body cut off within a field is refused', () => {
  const bytes = toBinary(request({ name: 'a name', kind: 2, startTimeUnixNano: '1000' }))
  for (let length = 1; length < bytes.length; length++) {
    expect(() => decodeOtlpProto(bytes.subarray(0, length))).toThrow(/^Truncated: length \d+ > bytes available \d+$/)
  }
  expect(() => decodeOtlpProto(new Uint8Array(11).fill(0xff))).toThrow('Greater than 32-bit varint at position 4')
})
