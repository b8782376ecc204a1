import protobuf from 'protobufjs'

const schema = protobuf.parse(`
  syntax = "proto3";
  package zipkin.proto3;
  message Span {
    bytes trace_id = 1; bytes parent_id = 2; bytes id = 3; int32 kind = 4; string name = 5; fixed64 timestamp = 6;
    uint64 duration = 7; Endpoint local_endpoint = 8; Endpoint remote_endpoint = 9; repeated Annotation annotations = 10;
    map<string, string> tags = 11; bool debug = 12; bool shared = 13; string from_the_future = 99;
  }
  message Endpoint { string service_name = 1; bytes ipv4 = 2; bytes ipv6 = 3; int32 port = 4; string later = 9; }
  message Annotation { fixed64 timestamp = 1; string value = 2; }
  message ListOfSpans { repeated Span spans = 1; }
`).root
const List = schema.lookupType('zipkin.proto3.ListOfSpans')

/** Spans as protobufjs takes them: camel case, ids and addresses as hex text. */
export function encodeProto3(spans: readonly object[]): Buffer {
  const withBytes = JSON.parse(JSON.stringify(spans), (key, value) =>
    /^(traceId|parentId|id|ipv4|ipv6)$/.test(key) ? Buffer.from(value, 'hex').toString('base64') : value,
  )
  return Buffer.from(List.encode(List.fromObject({ spans: withBytes })).finish())
}
