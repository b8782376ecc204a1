export { DecodeError, type DecodeErrorCode } from './decode-error.ts'
export { type Format, requireFormat } from './detect.ts'
export { decodeJsonV2, encodeJsonV2 } from './json-v2.ts'
