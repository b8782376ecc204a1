import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freePorts } from '../free-ports.ts'
import { findEnvoy, HOW_TO_GET_ENVOY, type ProgramName, startProgram } from './harness/program.ts'

if (findEnvoy() === undefined) console.warn(`skipped: the runtime on the disk, ${HOW_TO_GET_ENVOY}`)

interface Seen {
  runtime: unknown
  stats: Record<string, number>
}

/** A directory of files; `…/link` is a symbolic link to what the value names. */
function write(directory: string, files: Record<string, string>): void {
  mkdirSync(directory, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name)
    mkdirSync(dirname(file), { recursive: true })
    if (name.endsWith('link')) symlinkSync(text, file)
    else writeFileSync(file, text)
  }
}

const layer = (name: string, root: string, fields: object = {}) => ({
  name,
  disk_layer: { symlink_root: root, ...fields },
})

/** What a program shows of its runtime: at the start, then after each step, once it has read its layers anew. */
async function observe(
  name: ProgramName,
  {
    files,
    layers,
    steps = [],
  }: {
    files: Record<string, string>
    layers: (folder: string) => object[]
    steps?: ((folder: string, admin: string) => unknown)[]
  },
): Promise<Seen[]> {
  const folder = mkdtempSync(join(tmpdir(), 'disk-runtime-'))
  const [port] = (await freePorts(1)) as [number]
  const admin = `http://127.0.0.1:${port}`
  write(join(folder, 'v1'), files)
  symlinkSync('v1', join(folder, 'current'))
  const config = join(folder, 'envoy.json')
  const first = { name: 'static', static_layer: { known: 1, switch: true } }
  writeFileSync(
    config,
    JSON.stringify({
      node: { id: 'node', cluster: 'service' },
      admin: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
      layered_runtime: { layers: [first, ...layers(folder), { name: 'admin', admin_layer: {} }] },
    }),
  )
  const program = await startProgram(name, config, port)
  try {
    const seen = [await look(admin)]
    for (const step of steps) {
      const before = seen.at(-1)!
      await step(folder, admin)
      await expect.poll(async () => loads(await look(admin))).toBeGreaterThan(loads(before))
      // Two layers may be read for one move.
      let now = await look(admin)
      for (let last = -1; last !== loads(now); now = await look(admin)) {
        last = loads(now)
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      seen.push(now)
    }
    return seen
  } finally {
    await program.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const loads = ({ stats }: Seen) => stats['runtime.load_success']! + stats['runtime.load_error']!

async function look(admin: string): Promise<Seen> {
  const runtime = await (await fetch(`${admin}/runtime`)).json()
  const text = await (await fetch(`${admin}/stats?filter=^runtime\\.`)).text()
  const stats = [...text.matchAll(/^(\S+): (\d+)$/gm)].map(([, name, value]) => [name, Number(value)])
  return { runtime, stats: Object.fromEntries(stats) }
}

/** Another directory takes the place of the one that counts. */
const swap = (files: Record<string, string>) => (folder: string) => {
  const directory = mkdtempSync(join(folder, 'next-'))
  write(directory, files)
  symlinkSync(directory, join(folder, 'moving'))
  renameSync(join(folder, 'moving'), join(folder, 'current'))
}

describe.skipIf(findEnvoy() === undefined)('a runtime on the disk', () => {
  test.each<[string, Parameters<typeof observe>[1], (seen: Seen[]) => void]>([
    [
      'texts, comments, types, names',
      {
        files: {
          'sub/fault/http/abort_percent': '50\n',
          'sub/with.comment': '# one\n7.5\n# two\n',
          'sub/only_comment': '# x\n',
          'sub/lines': 'a\n\nb\na\n',
          'sub/crlf': 'a\r\nb\r\n',
          'sub/blank': ' 12 \n\n',
          'sub/empty': '',
          'sub/exponent': '1e3',
          'sub/.hidden/x': '1',
          'sub/share': '{"numerator": 5, "denominator": "TEN_THOUSAND"}',
          'sub/known': '2',
          'sub/file.link': '../elsewhere',
          elsewhere: '9\n',
        },
        layers: folder => [layer('disk', `${folder}/current`, { subdirectory: 'sub' })],
      },
      ([start]) => expect(start!.stats['runtime.num_keys']).toBe(13),
    ],
    [
      'moves of the link',
      {
        files: { a: '1' },
        layers: folder => [layer('disk', `${folder}/current`)],
        steps: [
          swap({ a: '2', b: '3' }),
          swap({ 'only/c': 'x' }),
          (_, admin) => fetch(`${admin}/runtime_modify?a=5`, { method: 'POST' }),
          swap({ a: '6' }),
        ],
      },
      seen => expect(JSON.stringify(seen.at(-1)!.runtime)).toContain('"5"'),
    ],
    [
      'a layer of the service cluster over another',
      {
        files: { 'all/a': '1', 'all/b': '1', 'by/service/a': '2', 'by/other/a': '3' },
        layers: folder => [
          layer('all', `${folder}/current`, { subdirectory: 'all' }),
          layer('own', `${folder}/current`, { subdirectory: 'by', append_service_cluster: true }),
        ],
        steps: [swap({ 'all/a': '4' }), swap({ 'by/service/a': '5' })],
      },
      ([start]) => expect(start!.stats['runtime.override_dir_exists']).toBe(2),
    ],
    [
      'a link that leads nowhere, and a directory that is too deep',
      {
        files: { 'sub/good': '1', 'sub/broken.link': '/nowhere/at/all' },
        layers: folder => [layer('disk', `${folder}/current`, { subdirectory: 'sub' })],
        steps: [
          swap({ 'sub/good': '2' }),
          swap({ [`sub/${'d/'.repeat(15)}value`]: '1' }),
          swap({ [`sub/${'d/'.repeat(16)}value`]: '1' }),
        ],
      },
      seen => expect(seen.map(one => one.stats['runtime.load_error'])).toEqual([2, 2, 2, 3]),
    ],
    [
      'nothing there yet, and a root that is watched from inside',
      {
        files: { x: '1' },
        layers: folder => [layer('disk', `${folder}/v1/`), layer('absent', `${folder}/absent`)],
        steps: [
          folder => {
            writeFileSync(join(folder, 'y'), '2')
            renameSync(join(folder, 'y'), join(folder, 'v1/y'))
          },
          folder => {
            write(join(folder, 'later'), { z: '3' })
            renameSync(join(folder, 'later'), join(folder, 'absent'))
          },
        ],
      },
      seen => expect(seen.map(one => one.stats['runtime.num_layers'])).toEqual([3, 3, 4]),
    ],
  ])('%s', async (_, scene, sane) => {
    const [envoy, ours] = await Promise.all([observe('envoy', scene), observe('hopscope', scene)])
    sane(envoy)
    expect(ours).toEqual(envoy)
  })
})
