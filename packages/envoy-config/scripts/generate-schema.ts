/**
 * Writes src/generated/envoy-v3.ndjson: what Envoy's v3 API is, as far as a bootstrap can hold it. Run when Envoy's version changes:
 *
 *     HOPSCOPE_ENVOY=/path/to/envoy node packages/envoy-config/scripts/generate-schema.ts
 *
 * Source: the file descriptors that are compiled into the Envoy binary (protobuf's C++ runtime keeps them as plain serialized
 * FileDescriptorProtos). So the table is exactly what that release accepts, with its protoc-gen-validate rules, its
 * deprecations and every extension that was linked in, and nothing else has to be fetched.
 *
 * Output, one message or enum a line, so that a reader can parse only the lines it needs:
 *
 *     ["envoy.config.core.v3.Address",{"fields":{"socket_address":["envoy.config.core.v3.SocketAddress",{"oneof":"address"}],…},"required":["address"]}]
 *     ["envoy.config.core.v3.RoutingPriority",{"values":{"DEFAULT":0,"HIGH":1}}]
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  create,
  createFileRegistry,
  type DescField,
  type DescMessage,
  fromBinary,
  getOption,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf'
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

const envoy = process.env.HOPSCOPE_ENVOY
if (envoy === undefined) throw new Error('HOPSCOPE_ENVOY must name an Envoy binary')
const target = new URL('../src/generated/envoy-v3.ndjson', import.meta.url)

const files = new Map<string, FileDescriptorProto>()
for (const file of embeddedDescriptors(readFileSync(envoy))) files.set(file.name, file)

const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: inDependencyOrder(files) }))
const option = (name: string) => {
  const extension = registry.getExtension(name)
  if (extension === undefined) throw new Error(`the binary lacks the option ${name}`)
  return extension
}
const rulesOption = option('validate.rules')
const oneofRequired = option('validate.required')
const disallowed = option('envoy.annotations.disallowed_by_default')
const disallowedEnum = option('envoy.annotations.disallowed_by_default_enum')
const rulesSchema = registry.getMessage('validate.FieldRules')!

/** What a bootstrap can hold: Bootstrap itself and whatever may stand in an Any (each extension's own types), with all they refer to. */
const ROOTS = /^(envoy\.config|envoy\.extensions|envoy\.type|envoy\.watchdog|xds|udpa)\./
const lines = new Map<string, unknown>()
for (const type of registry) if (type.kind === 'message' && ROOTS.test(type.typeName)) addMessage(type)

const header = ['', { source: 'descriptors compiled into Envoy', version: envoyVersion(), files: files.size }]
const rows = [header, ...[...lines].sort(([a], [b]) => (a < b ? -1 : 1))]
writeFileSync(target, `${rows.map(row => JSON.stringify(row)).join('\n')}\n`)
console.log(`${lines.size} types of ${files.size} files`)

function addMessage(message: DescMessage): void {
  if (lines.has(message.typeName) || message.typeName.startsWith('google.protobuf.')) return
  const fields: Record<string, unknown[]> = {}
  const required: string[] = []
  const row: Record<string, unknown> = { fields }
  lines.set(message.typeName, row)
  for (const field of message.fields) {
    const extra: Record<string, unknown> = {}
    if (field.fieldKind === 'list') extra.repeated = true
    if (field.fieldKind === 'map') extra.map = typeOf(field.mapKey)
    if (field.oneof) extra.oneof = field.oneof.name
    if (field.proto.options?.deprecated) extra.deprecated = true
    if (getOption(field, disallowed)) extra.disallowed = true
    if (field.proto.proto3Optional) extra.optional = true
    const rules = toJson(rulesSchema, getOption(field, rulesOption) as never, {
      registry,
      useProtoFieldName: true,
    }) as Record<string, unknown>
    if (Object.keys(rules).length > 0) extra.rules = rules
    const type = fieldType(field)
    fields[field.name] = Object.keys(extra).length > 0 ? [type, extra] : [type]
  }
  for (const oneof of message.oneofs) if (getOption(oneof, oneofRequired)) required.push(oneof.name)
  if (required.length > 0) row.required = required
}

function fieldType(field: DescField): string {
  if (field.message) {
    addMessage(field.message)
    return field.message.typeName
  }
  if (field.enum) {
    const values: Record<string, number> = {}
    const refused: string[] = []
    for (const value of field.enum.values) {
      values[value.name] = value.number
      if (getOption(value, disallowedEnum)) refused.push(value.name)
    }
    lines.set(field.enum.typeName, refused.length > 0 ? { values, disallowed: refused } : { values })
    return field.enum.typeName
  }
  return typeOf(field.scalar!)
}

function typeOf(scalar: ScalarType): string {
  return ScalarType[scalar].toLowerCase()
}

function envoyVersion(): string {
  const text = execFileSync(envoy!, ['--version'], { encoding: 'utf8' })
  return /\/(\d+\.\d+\.\d+)\//.exec(text)?.[1] ?? text.trim()
}

/** Each serialized FileDescriptorProto begins with field 1, its name; its end is where the field numbers stop growing. */
function* embeddedDescriptors(binary: Buffer): Generator<FileDescriptorProto> {
  for (
    let at = binary.indexOf('.proto\x12', 0, 'latin1');
    at !== -1;
    at = binary.indexOf('.proto\x12', at + 1, 'latin1')
  ) {
    const nameEnd = at + '.proto'.length
    const start = beginning(binary, nameEnd)
    if (start === undefined) continue
    const end = descriptorEnd(binary, start)
    try {
      yield fromBinary(FileDescriptorProtoSchema, binary.subarray(start, end))
    } catch {
      // Bytes that only look like a descriptor.
    }
  }
}

function beginning(binary: Buffer, nameEnd: number): number | undefined {
  for (let length = 7; length < 128; length++) {
    const start = nameEnd - length - 2
    if (binary[start] === 0x0a && binary[start + 1] === length) return start
  }
  return undefined
}

function descriptorEnd(binary: Buffer, start: number): number {
  let at = start
  for (let last = 0; ; ) {
    const field = binary[at]! >> 3
    const wire = binary[at]! & 7
    if (field < last || field > 14 || field === 0 || (field === 1 && last === 1)) return at
    if (wire !== 2 && wire !== 0) return at
    last = field
    const [value, next] = varint(binary, at + 1)
    at = wire === 2 ? next + value : next
  }
}

function varint(binary: Buffer, at: number): [value: number, next: number] {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = binary[at++]!
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return [value, at]
  }
}

function inDependencyOrder(all: Map<string, FileDescriptorProto>): FileDescriptorProto[] {
  const ordered = new Map<string, FileDescriptorProto>()
  const visit = (name: string): void => {
    const file = all.get(name)
    if (file === undefined || ordered.has(name)) return
    for (const dependency of file.dependency) visit(dependency)
    // A dependency that the linker dropped (only annotations live there) is dropped here too.
    file.dependency = file.dependency.filter(dependency => all.has(dependency))
    file.publicDependency = []
    file.weakDependency = []
    ordered.set(name, file)
  }
  for (const name of all.keys()) visit(name)
  return [...ordered.values()]
}
