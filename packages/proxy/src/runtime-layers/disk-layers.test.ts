import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RuntimeLayer } from '@hopscope/envoy-config'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Runtime } from '../runtime.ts'
import { readDiskLayer } from './read-disk-layer.ts'
import { watchDiskLayers } from './watch-disk-layers.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disk-layers-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, values: Record<string, string>): string {
  const directory = join(folder, name)
  mkdirSync(directory)
  for (const [key, text] of Object.entries(values)) writeFileSync(join(directory, key), text)
  return directory
}

const onDisk = (directory: string, symlinkRoot = directory): RuntimeLayer => ({
  name: 'disk',
  kind: 'disk',
  disk: { directory, symlinkRoot },
  values: new Map(),
})

test('a circle of links spoils a layer, and ends', () => {
  const directory = write('a', { k: '1' })
  symlinkSync('.', join(directory, 'again'))
  expect(() => readDiskLayer(directory)).toThrow('recursion depth')
  const runtime = new Runtime([onDisk(directory)])
  expect([runtime.get('k'), runtime.lastLoad.failed, runtime.layers]).toEqual([undefined, true, []])
})

test('what is no directory is no layer', () => {
  const directory = write('a', { file: '1' })
  expect([readDiskLayer(join(directory, 'file')), readDiskLayer(join(directory, 'none'))]).toEqual([
    undefined,
    undefined,
  ])
})

test('values have the types of what they look like', () => {
  const share = 'numerator: 1\ndenominator: TEN_THOUSAND'
  const runtime = new Runtime([onDisk(write('a', { n: '7.5\n', s: 'true', share, t: 'numerator: [', u: 'a b' }))])
  expect(['n', 's', 'share', 't', 'u'].map(key => runtime.get(key))).toEqual([7.5, true, 0.01, 'numerator: [', 'a b'])
})

test('a failed reading leaves the other layers', () => {
  const good: RuntimeLayer = { name: 'static', kind: 'static', values: new Map([['k', 1]]) }
  const directory = write('a', { k: '2' })
  const runtime = new Runtime([good, onDisk(directory)])
  expect(runtime.number('k', 0)).toBe(2)
  symlinkSync('/nowhere/at/all', join(directory, 'broken'))
  runtime.load()
  expect(runtime.number('k', 0)).toBe(1)
})

test('moves onto the link are told, others are not', async () => {
  write('a', { k: '1' })
  write('b', { k: '2' })
  const root = join(folder, 'current')
  symlinkSync('a', root)
  const runtime = new Runtime([onDisk(root)])
  let moves = 0
  const watcher = watchDiskLayers([onDisk(root)], () => {
    moves++
    runtime.load()
  })
  try {
    writeFileSync(join(folder, 'aside'), '')
    renameSync(join(folder, 'aside'), join(folder, 'elsewhere'))
    symlinkSync('b', join(folder, 'next'))
    renameSync(join(folder, 'next'), root)
    await expect.poll(() => runtime.number('k', 0)).toBe(2)
    expect(moves).toBe(1)
  } finally {
    watcher.close()
  }
})

test('without a directory to watch there is an error', () => {
  const root = join(folder, 'none/current')
  const text = `unable to add filesystem watch for file ${root}: No such file or directory`
  expect(() => watchDiskLayers([onDisk(root)], () => {})).toThrow(text)
})
