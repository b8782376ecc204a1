import type { Endpoint, Span } from '@hopscope/model'
import protobuf from 'protobufjs'
import { encodeProto3 } from '../../conformance/zipkin/proto3-writer.ts'
import * as t from '../../conformance/zipkin/thrift-writer.ts'

/** How a writer sends spans; over gRPC where `path` is that of a method. */
export interface Way {
  name: string
  isOtlp: boolean
  path: string
  /** With `content-encoding: gzip`, the message is to be compressed. */
  headers: Record<string, string>
  encode: (spans: readonly Span[]) => Buffer
}

const JSON_TYPE = { 'content-type': 'application/json' }
const PROTOBUF = { 'content-type': 'application/x-protobuf' }
const GZIP = { 'content-encoding': 'gzip' }

export const WAYS: readonly Way[] = [
  { name: 'JSON', isOtlp: false, path: '/api/v2/spans', headers: JSON_TYPE, encode: json },
  {
    name: 'JSON, gzip',
    isOtlp: false,
    path: '/api/v2/spans',
    headers: { ...JSON_TYPE, ...GZIP },
    encode: json,
  },
  { name: 'JSON v1', isOtlp: false, path: '/api/v1/spans', headers: JSON_TYPE, encode: jsonV1 },
  {
    name: 'thrift',
    isOtlp: false,
    path: '/api/v1/spans',
    headers: { 'content-type': 'application/x-thrift' },
    encode: thrift,
  },
  { name: 'proto3', isOtlp: false, path: '/api/v2/spans', headers: PROTOBUF, encode: proto3 },
  { name: 'gRPC', isOtlp: false, path: '/zipkin.proto3.SpanService/Report', headers: {}, encode: proto3 },
  { name: 'OTLP JSON', isOtlp: true, path: '/v1/traces', headers: JSON_TYPE, encode: otlpJson },
  {
    name: 'OTLP protobuf, gzip',
    isOtlp: true,
    path: '/v1/traces',
    headers: { ...PROTOBUF, ...GZIP },
    encode: otlp,
  },
  {
    name: 'OTLP gRPC',
    isOtlp: true,
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    headers: {},
    encode: otlp,
  },
]

function json(spans: readonly Span[]): Buffer {
  return Buffer.from(JSON.stringify(spans))
}

function proto3(spans: readonly Span[]): Buffer {
  const address = ({ ipv4, ...rest }: Endpoint): object => ({
    ...rest,
    ...(ipv4 && { ipv4: Buffer.from(ipv4.split('.').map(Number)).toString('hex') }),
  })
  return encodeProto3(
    spans.map(({ kind, localEndpoint, remoteEndpoint, ...span }) => ({
      ...span,
      kind: kind === 'CLIENT' ? 1 : 2,
      localEndpoint: address(localEndpoint!),
      ...(remoteEndpoint && { remoteEndpoint: address(remoteEndpoint) }),
    })),
  )
}

/** Of a v1 span, what says its kind and times. */
function coreAnnotations({ kind, timestamp, duration }: Span): [timestamp: number, value: string][] {
  const [begin, end] = kind === 'CLIENT' ? ['cs', 'cr'] : ['sr', 'ss']
  return [
    [timestamp!, begin!],
    [timestamp! + duration!, end!],
  ]
}

function jsonV1(spans: readonly Span[]): Buffer {
  return Buffer.from(
    JSON.stringify(
      spans.map(span => {
        const { traceId, id, parentId, name, timestamp, duration, localEndpoint: endpoint, remoteEndpoint } = span
        return {
          traceId,
          id,
          parentId,
          name,
          timestamp,
          duration,
          annotations: [
            ...coreAnnotations(span).map(([timestamp, value]) => ({ timestamp, value, endpoint })),
            ...span.annotations!.map(one => ({ ...one, endpoint })),
          ],
          binaryAnnotations: [
            ...Object.entries(span.tags!).map(([key, value]) => ({ key, value, endpoint })),
            ...(remoteEndpoint ? [{ key: 'sa', value: true, endpoint: remoteEndpoint }] : []),
          ],
        }
      }),
    ),
  )
}

function thrift(spans: readonly Span[]): Buffer {
  const id = (hex: string): t.Value => t.i64(BigInt.asIntN(64, BigInt(`0x${hex}`)))
  return t.list(
    ...spans.map(span => {
      const { ipv4, serviceName, port } = span.localEndpoint!
      const host = t.endpoint(serviceName!, Buffer.from(ipv4!.split('.').map(Number)).readInt32BE(), port!)
      return t.struct(
        [1, id(span.traceId.slice(-16))],
        [3, t.string(span.name!)],
        [4, id(span.id)],
        ...(span.parentId === undefined ? [] : [[5, id(span.parentId)] as t.Field]),
        [
          6,
          t.list(
            ...coreAnnotations(span).map(([timestamp, value]) => t.annotation(timestamp, value, host)),
            ...span.annotations!.map(({ timestamp, value }) => t.annotation(timestamp, value, host)),
          ),
        ],
        [
          8,
          t.list(
            ...Object.entries(span.tags!).map(([key, value]) => t.tag(key, value, host)),
            ...(span.remoteEndpoint ? [t.address('sa', t.endpoint(span.remoteEndpoint.serviceName!, 0, 0))] : []),
          ),
        ],
        [10, t.i64(span.timestamp!)],
        [11, t.i64(span.duration!)],
        ...(span.traceId.length === 32 ? [[12, id(span.traceId.slice(0, 16))] as t.Field] : []),
      )
    }),
  ).bytes
}

const schema = protobuf.parse(`
  syntax = "proto3";
  message Value { string string_value = 1; }
  message KeyValue { string key = 1; Value value = 2; }
  message Event { fixed64 time_unix_nano = 1; string name = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; repeated Event events = 11;
  }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Request { repeated ResourceSpans resource_spans = 1; }
`).root
const Request = schema.lookupType('Request')

/** Spans of one service, as OTLP's JSON has them. */
function otlpRequest(spans: readonly Span[]): object {
  const attribute = (key: string, stringValue: string): object => ({ key, value: { stringValue } })
  return {
    resourceSpans: [
      {
        resource: { attributes: [attribute('service.name', spans[0]!.localEndpoint!.serviceName!)] },
        scopeSpans: [
          {
            spans: spans.map(span => ({
              traceId: span.traceId,
              spanId: span.id,
              ...(span.parentId && { parentSpanId: span.parentId }),
              name: span.name,
              kind: span.kind === 'CLIENT' ? 3 : 2,
              startTimeUnixNano: `${span.timestamp}000`,
              endTimeUnixNano: `${span.timestamp! + span.duration!}000`,
              attributes: Object.entries(span.tags!).map(([key, value]) => attribute(key, value)),
              events: span.annotations!.map(({ timestamp, value }) => ({
                timeUnixNano: `${timestamp}000`,
                name: value,
              })),
            })),
          },
        ],
      },
    ],
  }
}

function otlpJson(spans: readonly Span[]): Buffer {
  return Buffer.from(JSON.stringify(otlpRequest(spans)))
}

function otlp(spans: readonly Span[]): Buffer {
  const withBytes = JSON.parse(JSON.stringify(otlpRequest(spans)), (key, value) =>
    /^(traceId|spanId|parentSpanId)$/.test(key) ? Buffer.from(value, 'hex').toString('base64') : value,
  )
  return Buffer.from(Request.encode(Request.fromObject(withBytes)).finish())
}
