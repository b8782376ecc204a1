// Bytes of the wire ↔ spans. A body is taken whole or refused with a DecodeError; OTLP also rejects single spans.
export { DecodeError, type DecodeErrorCode } from './decode-error.ts'
export { type Format, requireFormat } from './detect.ts'
export { encodeOtlpJson } from './encode-otlp-json.ts'
export { decodeJaegerJson } from './jaeger-json.ts'
export { decodeJsonV2, encodeJsonV2, encodeSpanJsonV2 } from './json-v2.ts'
export { decodeOtlpJson } from './otlp-json.ts'
export { decodeOtlpProto } from './otlp-proto.ts'
export type { OtlpSpans } from './otlp-to-zipkin.ts'
