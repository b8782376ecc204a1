import type { Runtime } from '@hopscope/proxy'
import type { AdminPage } from './admin-server.ts'
import { dumpJson } from './dump-json.ts'

const USAGE =
  'usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\n' +
  '       or send the parameters as form values\n' +
  'use an empty value to remove a previously added override'

/** `told` hears what was changed, for there may be others who have to know. */
export function runtimePages(
  runtime: Runtime,
  told: (changes: readonly (readonly [key: string, value: string])[]) => Promise<void>,
): AdminPage[] {
  return [
    {
      path: '/runtime',
      help: 'print runtime values',
      handle: () => ({ type: 'json', body: dumpJson(describe(runtime)) }),
    },
    {
      path: '/runtime_modify',
      help:
        'Adds or modifies runtime values as passed in query parameters. To delete a previously added key, use an empty ' +
        'string as the value. E.g. ?key1=value1&key2=value2...',
      mutates: true,
      async handle({ query, form }) {
        const changes = [...query, ...form]
        if (changes.length === 0) return { status: 400, body: USAGE }
        if (runtime.modify(changes) !== 'ok') return { status: 503, body: 'No admin layer specified' }
        await told(changes)
        return { body: 'OK\n' }
      },
    },
  ]
}

function describe(runtime: Runtime): object {
  const keys = new Set(runtime.layers.flatMap(layer => [...layer.values.keys()]))
  const entries: Record<string, object> = Object.create(null)
  for (const key of [...keys].sort()) {
    entries[key] = {
      layer_values: runtime.layers.map(layer => valueText(layer, key) ?? ''),
      final_value: runtime.layers.map(layer => valueText(layer, key)).findLast(text => text !== undefined),
    }
  }
  return { layers: runtime.layers.map(layer => layer.name), entries }
}

function valueText({ values, texts }: Runtime['layers'][number], key: string): string | undefined {
  const value = texts?.get(key) ?? values.get(key)
  return value === undefined ? undefined : String(value)
}
