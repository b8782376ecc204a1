/** Thrift's binary protocol, written as an old Zipkin client writes it; fields are `[id, value]`. */
export interface Value {
  type: number
  bytes: Buffer
}
export type Field = [id: number, value: Value]

const sized = (size: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(size)
  write(buffer)
  return buffer
}

export const bool = (value: boolean): Value => ({ type: 2, bytes: Buffer.from([value ? 1 : 0]) })
export const byte = (value: number): Value => ({ type: 3, bytes: Buffer.from([value]) })
export const double = (value: number): Value => ({ type: 4, bytes: sized(8, b => b.writeDoubleBE(value)) })
export const i16 = (value: number): Value => ({ type: 6, bytes: sized(2, b => b.writeInt16BE(value)) })
export const i32 = (value: number): Value => ({ type: 8, bytes: sized(4, b => b.writeInt32BE(value)) })
export const i64 = (value: bigint | number): Value => ({
  type: 10,
  bytes: sized(8, b => b.writeBigInt64BE(BigInt(value))),
})
export const binary = (value: Buffer): Value => ({ type: 11, bytes: Buffer.concat([i32(value.length).bytes, value]) })
export const string = (value: string): Value => binary(Buffer.from(value))

export function struct(...fields: Field[]): Value {
  const parts = fields.map(([id, { type, bytes }]) => Buffer.concat([Buffer.from([type]), i16(id).bytes, bytes]))
  return { type: 12, bytes: Buffer.concat([...parts, Buffer.from([0])]) }
}

export function list(...items: Value[]): Value {
  const head = Buffer.concat([Buffer.from([items[0]?.type ?? 12]), i32(items.length).bytes])
  return { type: 15, bytes: Buffer.concat([head, ...items.map(({ bytes }) => bytes)]) }
}

export const endpoint = (serviceName: string, ipv4 = 0x7f000001, port = 8080): Value =>
  struct([1, i32(ipv4)], [2, i16(port)], [3, string(serviceName)])
export const annotation = (timestamp: number, value: string, host?: Value): Value =>
  struct([1, i64(timestamp)], [2, string(value)], ...(host ? [[3, host] as Field] : []))
export const tag = (key: string, value: string, host?: Value, type = 6): Value =>
  struct([1, string(key)], [2, string(value)], [3, i32(type)], ...(host ? [[4, host] as Field] : []))
/** `sa`, `ca`, `ma`. */
export const address = (key: string, host: Value): Value => tag(key, '\u0001', host, 0)
