/** ExportTraceServiceResponse in protobuf; without a rejected span, an empty one. */
export function encodeOtlpResult(rejected: number, message: string): Buffer {
  if (rejected === 0) return Buffer.alloc(0)
  return bytesField(1, Buffer.concat([varintField(1, rejected), textField(2, message)]))
}

/** google.rpc.Status. */
export function encodeRpcStatus(code: number, message: string): Buffer {
  return Buffer.concat([varintField(1, code), textField(2, message)])
}

/** Protobuf's wire format, as much as two small answers need. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}
const varintField = (field: number, value: number): Buffer => Buffer.concat([varint(field << 3), varint(value)])
const bytesField = (field: number, bytes: Buffer): Buffer =>
  Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes])
const textField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text))
