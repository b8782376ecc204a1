import type { DiskLayer, RuntimeLayer, RuntimeValue } from '../bootstrap.ts'
import type { Message, Place } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { runtimePercent } from './runtime-value.ts'

/** Of envoy.config.bootstrap.v3.LayeredRuntime. `serviceCluster` is the node's. */
export function parseRuntime(
  message: Message | undefined,
  serviceCluster: string,
  context: ParseContext,
): RuntimeLayer[] {
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
    const disk = layer.message('disk_layer')
    if (disk !== undefined) return { name, kind: 'disk', disk: parseDiskLayer(disk, serviceCluster), values }
    return { name, kind: layer.has('admin_layer') ? 'admin' : 'static', values }
  })
}

function parseDiskLayer(message: Message, serviceCluster: string): DiskLayer {
  const symlinkRoot = message.string('symlink_root')
  const subdirectory = message.string('subdirectory')
  const parts = [symlinkRoot, subdirectory, message.boolean('append_service_cluster') ? serviceCluster : '']
  return { symlinkRoot, directory: parts.filter(part => part !== '').join('/') }
}

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
    const percent = runtimePercent(value)
    if (percent !== undefined) into.set(key, percent)
    else
      for (const [name, nested] of Object.entries(value))
        flatten(nested, key === '' ? name : `${key}.${name}`, into, place, context)
  } else {
    context.problems.add('invalid', place, `invalid runtime value for '${key}': expected a number, text, true or false`)
  }
}
