import type { RuntimeLayer, RuntimeValue } from '../bootstrap.ts'
import type { Message, Place } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Of envoy.config.bootstrap.v3.LayeredRuntime. */
export function parseRuntime(message: Message | undefined, context: ParseContext): RuntimeLayer[] {
  const names = new Set<string>()
  let admins = 0
  return (message?.messages('layers') ?? []).map(layer => {
    const name = layer.string('name')
    if (names.has(name)) context.problems.add('invalid', layer.valuePlace('name'), `duplicate layer name: ${name}`)
    names.add(name)
    if (layer.has('admin_layer') && ++admins > 1) {
      context.problems.add('invalid', layer.place('admin_layer'), 'too many admin layers: at most one is allowed')
    }
    const values = new Map<string, RuntimeValue>()
    const tree = layer.plain('static_layer')
    if (tree !== undefined) flatten(tree, '', values, layer.valuePlace('static_layer'), context)
    return { name, kind: layer.has('admin_layer') ? 'admin' : 'static', values }
  })
}

/** By name and by number, as Envoy takes both. */
const denominators: ReadonlyMap<string, number> = new Map([
  ['HUNDRED', 100],
  ['TEN_THOUSAND', 10_000],
  ['MILLION', 1_000_000],
  ['0', 100],
  ['1', 10_000],
  ['2', 1_000_000],
])

/** `{ a: { b: 1 } }` is `a.b` = 1; a fractional percent is one value. */
function flatten(
  value: unknown,
  key: string,
  into: Map<string, RuntimeValue>,
  place: Place,
  context: ParseContext,
): void {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    into.set(key, value)
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { numerator, denominator = 'HUNDRED' } = value as Record<string, unknown>
    if (numerator !== undefined)
      into.set(key, (Number(numerator) * 100) / (denominators.get(String(denominator)) ?? 100))
    else
      for (const [name, nested] of Object.entries(value))
        flatten(nested, key === '' ? name : `${key}.${name}`, into, place, context)
  } else {
    context.problems.add('invalid', place, `invalid runtime value for '${key}': expected a number, text, true or false`)
  }
}
