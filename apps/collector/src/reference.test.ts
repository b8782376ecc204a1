import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Config, HELP, readConfig } from './config.ts'

/** docs/collector.md is the reference of what can be told to the collector: it and the code must agree. */
const page = readFileSync(new URL('../../../docs/collector.md', import.meta.url), 'utf8')
const rows = page
  .slice(page.indexOf('## Configuration'), page.indexOf('## Ways in'))
  .split('\n')
  .filter(line => line.startsWith('| `'))
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, names, fallback]) => ({
    variables: [...names!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!),
    flags: [...names!.matchAll(/`--([a-z-]+)`/g)].map(([, name]) => name!),
    defaults: [...fallback!.matchAll(/`([^`]+)`/g)].map(([, value]) => value!),
  }))

function configOf(environment: Record<string, string>, argv: string[] = []): Config {
  const read = readConfig(argv, environment)
  if (read === 'help') throw new Error('help')
  return read.config
}

/** Every variable that is looked at, whatever the store. */
function variablesRead(): string[] {
  const names = new Set<string>()
  for (const storage of ['sqlite', 'mem', 'clickhouse']) {
    readConfig(
      ['--storage', storage],
      new Proxy({} as Record<string, string | undefined>, {
        get: (_, name) => {
          names.add(String(name))
          return undefined
        },
      }),
    )
  }
  // Where the kind of store comes from, which the flags above have hidden.
  return [...names, 'STORAGE_TYPE'].sort()
}

describe('docs/collector.md', () => {
  it('names every variable that is read, and no other', () => {
    expect([...new Set(rows.flatMap(({ variables }) => variables))].sort()).toEqual(variablesRead())
  })
  it('names every flag of --help, and no other', () => {
    const flags = [...HELP.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name!)
    expect([...new Set(rows.flatMap(row => row.flags))].sort()).toEqual(flags.sort())
    for (const flag of flags)
      expect(() =>
        configOf({}, [`--${flag}`, flag === 'storage' ? 'mem' : '1048576'.slice(0, /port/.test(flag) ? 4 : 7)]),
      ).not.toThrow()
  })
  it('has the defaults', () => {
    // Said in words on the page.
    const inWords = ['HOPSCOPE_OTLP_PORT', 'HOPSCOPE_OTLP_GRPC_PORT', 'HOPSCOPE_VIEWER']
    for (const { variables, defaults } of rows) {
      for (const [i, name] of variables.entries()) {
        const value = defaults[i] ?? defaults[0]
        if (value === undefined || inWords.includes(name)) continue
        const storage: Record<string, string> = name === 'MEM_MAX_SPANS' ? { STORAGE_TYPE: 'mem' } : {}
        expect(configOf({ ...storage, [name]: value }), `${name}=${value}`).toEqual(configOf(storage))
      }
    }
    expect(configOf({})).toMatchObject({ otlpPort: 4318, otlpGrpcPort: 4317 })
    expect(configOf({ HOPSCOPE_OTLP_PORT: '1' })).toMatchObject({ otlpPort: 1, otlpGrpcPort: undefined })
  })
})
