import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/**
 * The direction of imports (docs/architecture.md). Each package.json's `dependencies` must say the same, so that pnpm links
 * nothing else and an import against the direction does not resolve.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'packages/model': [],
  'packages/envoy-config': [],
  'packages/tracer': ['model'],
  'packages/store': ['model'],
  'packages/proxy': ['envoy-config', 'tracer', 'model'],
  'apps/sidecar': ['proxy', 'envoy-config', 'tracer'],
  'apps/collector': ['store', 'model', 'tracer'],
  'apps/viewer': ['model'],
  'apps/service': ['tracer'],
  'apps/client': ['tracer'],
  'apps/cli': ['model', 'envoy-config'],
  test: ['model', 'tracer', 'envoy-config', 'proxy', 'store'],
}

const places = ['packages', 'apps'].flatMap(group =>
  readdirSync(join(root, group))
    .filter(name => existsSync(join(root, group, name, 'package.json')))
    .map(name => `${group}/${name}`),
)

test('every package and app has a row in the table of allowed imports', () => {
  const missing = places.filter(place => MAY_IMPORT[place] === undefined)
  expect(missing, `say in ${relative(root, import.meta.filename)} what these may import: ${missing}`).toEqual([])
})

for (const [place, allowed] of Object.entries(MAY_IMPORT)) {
  const manifest = JSON.parse(readFileSync(join(root, place, 'package.json'), 'utf8'))

  test(`${place} depends on ${allowed.length === 0 ? 'nothing of ours' : `no more than ${allowed.join(', ')}`}`, () => {
    const ours = Object.keys(manifest.dependencies ?? {}).filter(name => name.startsWith('@hopscope/'))
    const against = ours.filter(name => !allowed.includes(name.slice('@hopscope/'.length)))
    expect(
      against,
      `${place}/package.json depends on ${against.join(', ')}, which is against the direction of imports. ` +
        `${place} may import ${allowed.join(', ') || 'nothing of ours'}: move the shared code to a package below both, ` +
        'or change the table in docs/architecture.md and here, with the reason in docs/decisions/.',
    ).toEqual([])
  })

  test(`${place} imports only what its package.json declares, and no file of another package`, () => {
    const wrong: string[] = []
    for (const file of sources(join(root, place))) {
      const isTest = /(\.test\.tsx?|\/contract\.ts)$/.test(file) || file.includes('/testing/') || place === 'test'
      for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
        const where = `${relative(root, file)} imports ${specifier}`
        if (specifier.startsWith('.')) {
          const target = relative(join(root, place), join(dirname(file), specifier))
          if (target.startsWith('..') && place !== 'test') wrong.push(`${where}: a path into another package`)
          continue
        }
        if (specifier.startsWith('node:')) {
          if (place === 'packages/model' && !isTest) wrong.push(`${where}: the model also runs in the browser`)
          continue
        }
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        const declared = { ...manifest.dependencies, ...(isTest || toolFile(file) ? manifest.devDependencies : {}) }
        if (place === 'apps/viewer' && manifest.devDependencies?.[`@types/${name}`] !== undefined) continue
        if (declared[name] === undefined) wrong.push(`${where}, which ${place}/package.json does not declare`)
      }
    }
    expect(wrong, wrong.join('\n')).toEqual([])
  })
}

test('no files import each other in a circle', () => {
  const imports = new Map<string, string[]>()
  for (const file of places.flatMap(place => sources(join(root, place)))) {
    const own = importsOf(readFileSync(file, 'utf8')).filter(specifier => specifier.startsWith('.'))
    imports.set(
      file,
      own.map(specifier => join(dirname(file), specifier)),
    )
  }
  /** Files that are done, and lead into no circle. */
  const done = new Set<string>()
  const follow = (file: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of imports.get(file) ?? []) {
      const found = follow(next, [...way, file])
      if (found !== undefined) return found
    }
    done.add(file)
    return undefined
  }
  let circle: string[] | undefined
  for (const file of imports.keys()) circle ??= follow(file, [])
  expect(
    circle?.map(file => relative(root, file)) ?? [],
    'move what both need, often a type, to a file that imports neither',
  ).toEqual([])
})

test('nothing is declared that nobody imports', () => {
  /** Declared for others: a peer that the OpenTelemetry SDK asks for. */
  const forOthers = ['@opentelemetry/api']
  const unused: string[] = []
  for (const place of places) {
    const manifest = JSON.parse(readFileSync(join(root, place, 'package.json'), 'utf8'))
    const imported = sources(join(root, place)).flatMap(file => importsOf(readFileSync(file, 'utf8')))
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const isUsed = imported.some(specifier => specifier === name || specifier.startsWith(`${name}/`))
      if (!isUsed && !forOthers.includes(name)) unused.push(`${place}/package.json declares ${name}`)
    }
  }
  expect(unused, 'take them out of the manifest and run pnpm install').toEqual([])
})

test('there is no drawer for odds and ends', () => {
  const drawers = places
    .flatMap(place => sources(join(root, place)))
    .map(file => relative(root, file))
    .filter(file => /(^|\/)(utils?|common|helpers?|misc)(\/|\.tsx?$)/.test(file))
  expect(
    drawers,
    'a function lives with its one user; a second user moves it to a lower package, under a name of its own',
  ).toEqual([])
})

function sources(folder: string): string[] {
  const files: string[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (['node_modules', 'dist', 'generated'].includes(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) files.push(...sources(path))
    else if (/\.tsx?$/.test(entry.name)) files.push(path)
  }
  return files
}

/** Scripts that are run while developing, and configurations of tools. */
function toolFile(file: string): boolean {
  return /\/scripts\//.test(file) || /\.config\.ts$/.test(file)
}

function importsOf(source: string): string[] {
  const found: string[] = []
  const statement =
    /^\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm
  for (const match of source.matchAll(statement)) found.push((match[1] ?? match[2] ?? match[3])!)
  return found
}
